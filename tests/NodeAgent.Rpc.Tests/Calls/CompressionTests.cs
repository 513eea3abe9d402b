using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class CompressionTests
{
    private static readonly ByteString Packable = ByteString.CopyFrom(new byte[20_000]);
    private static readonly RpcServerOptions Compressing = new() { CompressResponses = true };

    [Fact]
    public async Task Gzip_BothDirections_PassesEveryKindOfMessage()
    {
        await using RpcHost host = await RpcHost.StartAsync(options: Compressing);
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client(new RpcChannelOptions { CompressRequests = true }).Duplex();
        ByteString[] payloads = [Packable, ByteString.Empty, ByteString.CopyFrom(CallKindTests.Noise(20_000)), ByteString.CopyFrom(1), Packable];
        foreach (ByteString payload in payloads)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Payload = payload });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(payload, call.ResponseStream.Current.Payload);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory]
    [InlineData(20_000, true)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    public async Task Server_Response_IsCompressedOnlyWhereItShrinks(int zeros, bool compressed)
    {
        await using RpcHost host = await RpcHost.StartAsync(options: Compressing);
        byte[] request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[zeros]) }.ToByteArray();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame(request), headers: [("grpc-accept-encoding", "deflate, gzip")]);
        Assert.Equal(StatusCode.OK, answer.Status);
        Assert.Equal("gzip", answer.Headers["grpc-encoding"]);
        Assert.Equal(compressed ? 1 : 0, answer.Body[0]);
        Assert.True(answer.Body.Length < 1000);
    }

    [Fact]
    public async Task Server_ClientAcceptsNoGzip_AnswersPlain()
    {
        await using RpcHost host = await RpcHost.StartAsync(options: Compressing);
        byte[] request = new EchoRequest { Payload = Packable }.ToByteArray();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame(request));
        Assert.False(answer.Headers.ContainsKey("grpc-encoding"));
        Assert.Equal(0, answer.Body[0]);
    }

    [Fact]
    public async Task Server_GzipRequest_IsRead()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        byte[] request = new EchoRequest { Payload = Packable }.ToByteArray();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame(Gzip(request), flag: 1), headers: [("grpc-encoding", "gzip")]);
        Assert.Equal(StatusCode.OK, answer.Status);
        Assert.Equal(Packable, EchoReply.Parser.ParseFrom(answer.Body, 5, answer.Body.Length - 5).Payload);
    }

    [Fact]
    public async Task Server_GzipOfNothing_IsAnEmptyMessage()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([], flag: 1), headers: [("grpc-encoding", "gzip")]);
        Assert.Equal(StatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task Server_GzipBomb_IsResourceExhaustedBeforeItUnfolds()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        byte[] bomb = Gzip(new byte[256 * 1024 * 1024]);
        Assert.True(bomb.Length < 1_500_000);
        long before = GC.GetTotalAllocatedBytes();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame(bomb, flag: 1), headers: [("grpc-encoding", "gzip")]);
        Assert.Equal(StatusCode.ResourceExhausted, answer.Status);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 * 1024 * 1024, "the bomb was unfolded");
    }

    [Fact]
    public async Task Client_GzipBombFromServer_IsResourceExhausted()
    {
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService { OnUnary = (_, _) => Task.FromResult(new EchoReply { Payload = ByteString.CopyFrom(new byte[8 * 1024 * 1024]) }) },
            Compressing);
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public async Task Server_UnknownEncoding_IsUnimplementedAndNamesTheKnownOnes()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([], flag: 1), headers: [("grpc-encoding", "zstd")]);
        Assert.Equal(StatusCode.Unimplemented, answer.Status);
        Assert.Equal("identity,gzip", answer.Headers["grpc-accept-encoding"]);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return compressed.ToArray();
    }
}
