using Grpc.Core;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Rpc.Tests.Calls;

/// <summary>Whatever arrives, the answer is a status, and the server serves the next call.</summary>
public sealed class MalformedRequestTests
{
    public static TheoryData<string, byte[], string, StatusCode> Bodies => new()
    {
        { "no message", [], RawCall.Unary, StatusCode.Internal },
        { "half a prefix", [0, 0, 0], RawCall.Unary, StatusCode.Internal },
        { "prefix without message", RawCall.Frame([], length: 10), RawCall.Unary, StatusCode.Internal },
        { "truncated message", RawCall.Frame([10, 3, 97], length: 5), RawCall.Unary, StatusCode.Internal },
        { "length over the limit", RawCall.Frame([], length: 4 * 1024 * 1024 + 1), RawCall.Unary, StatusCode.ResourceExhausted },
        { "length of 4 GiB", RawCall.Frame([], length: uint.MaxValue), RawCall.Unary, StatusCode.ResourceExhausted },
        { "length with the sign bit", RawCall.Frame([1, 2, 3], length: 0x8000_0000), RawCall.Unary, StatusCode.ResourceExhausted },
        { "unknown flag", RawCall.Frame([], flag: 2), RawCall.Unary, StatusCode.Internal },
        { "unknown flag 255", RawCall.Frame([], flag: 255), RawCall.Unary, StatusCode.Internal },
        { "compressed without encoding", RawCall.Frame([1, 2, 3], flag: 1), RawCall.Unary, StatusCode.Internal },
        { "two messages for one", [.. RawCall.Frame([]), .. RawCall.Frame([])], RawCall.Unary, StatusCode.Internal },
        { "message and rest", [.. RawCall.Frame([]), 0, 0], RawCall.Unary, StatusCode.Internal },
        { "no protobuf", RawCall.Frame([0xff, 0xff, 0xff, 0xff]), RawCall.Unary, StatusCode.Internal },
        { "wrong wire type", RawCall.Frame([0x0b]), RawCall.Unary, StatusCode.Internal },
        { "invalid UTF-8 length", RawCall.Frame([10, 0x7f, 97]), RawCall.Unary, StatusCode.Internal },
        { "stream: truncated second message", [.. RawCall.Frame([]), .. RawCall.Frame([1], length: 2)], RawCall.ClientStream, StatusCode.Internal },
        { "stream: unknown flag", [.. RawCall.Frame([]), .. RawCall.Frame([], flag: 9)], RawCall.ClientStream, StatusCode.Internal },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Server_MalformedBody_AnswersAStatus(string what, byte[] body, string path, StatusCode expected)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, body, path);
        Assert.Equal(200, answer.HttpStatus);
        Assert.True(expected == answer.Status, $"{what}: {answer.Status} {answer.Detail}");
        Assert.NotEmpty(answer.Detail);
        Assert.Empty(answer.Body);

        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(host, RawCall.Frame([]))).Status);
    }

    [Fact]
    public async Task Server_NotGzip_IsInternal()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([1, 2, 3, 4], flag: 1), headers: [("grpc-encoding", "gzip")]);
        Assert.Equal(StatusCode.Internal, answer.Status);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpcx")]
    [InlineData(null)]
    public async Task Server_WrongContentType_Is415(string? contentType)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Assert.Equal(415, (await RawCall.SendAsync(host, RawCall.Frame([]), contentType: contentType)).HttpStatus);
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    [InlineData("APPLICATION/GRPC")]
    public async Task Server_ContentTypeOfTheFamily_IsServed(string contentType)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(host, RawCall.Frame([]), contentType: contentType)).Status);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Server_NotPost_Is405(string method)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), method: method);
        Assert.Equal(405, answer.HttpStatus);
    }

    [Fact]
    public async Task Server_OverHttp1_Is426()
    {
        await using RpcHost host = await RpcHost.StartAsync(
            listen: (endpoint, _) => endpoint.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        Assert.Equal(426, (await RawCall.SendAsync(host, RawCall.Frame([]), version: System.Net.HttpVersion.Version11)).HttpStatus);
    }

    [Fact]
    public async Task Server_RequestForSomethingElse_IsPassedOn()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, [], "/page", contentType: null, method: "GET");
        Assert.Equal(200, answer.HttpStatus);
        Assert.Equal("not rpc"u8, answer.Body);
    }

    [Fact]
    public async Task Server_StatusWithoutMessage_IsTrailersOnly()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), "/no.such.Service/Call");
        Assert.Equal(StatusCode.Unimplemented, answer.Status);
        Assert.True(answer.TrailersOnly);
    }

    [Fact]
    public async Task Server_SmallerLimit_IsItsOwn()
    {
        await using RpcHost host = await RpcHost.StartAsync(options: new RpcServerOptions { MaxReceiveMessageSize = 10 });
        Assert.Equal(StatusCode.OK, (await RawCall.SendAsync(host, RawCall.Frame([10, 8, .. "12345678"u8]))).Status);
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([10, 9, .. "123456789"u8]));
        Assert.Equal(StatusCode.ResourceExhausted, answer.Status);
        Assert.Contains("11 vs. 10", answer.Detail, StringComparison.Ordinal);
    }
}
