using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeAgent.Rpc.Tests.Load;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Client;

/// <summary>Answers that no gRPC server of ours gives: those of proxies, of other stacks and of broken ones.</summary>
[Collection(MeasuredAlone.Name)]
public sealed class OddServerTests
{
    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    public async Task Answer_HttpStatus_IsMapped(int httpStatus, StatusCode expected)
    {
        RpcException e = await FailAsync(http =>
        {
            http.Response.StatusCode = httpStatus;
            return http.Response.WriteAsync("a page");
        });
        Assert.Equal(expected, e.StatusCode);
        Assert.Contains(httpStatus.ToString(), e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_Page_IsUnknownAndNamesItsType()
    {
        RpcException e = await FailAsync(http =>
        {
            http.Response.ContentType = "text/html";
            return http.Response.WriteAsync("a page");
        });
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.Contains("text/html", e.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x0, StatusCode.Internal)]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    public async Task Answer_StreamReset_IsMapped(int http2Error, StatusCode expected)
    {
        RpcException e = await FailAsync(async http =>
        {
            await BeginAsync(http, []);
            http.Features.Get<IHttpResetFeature>()!.Reset(http2Error);
        });
        Assert.Equal(expected, e.StatusCode);
    }

    [Theory]
    [InlineData("14", StatusCode.Unavailable)]
    [InlineData("99", StatusCode.Unknown)]
    [InlineData("x", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("", StatusCode.Unknown)]
    public async Task Answer_StatusText_IsRead(string text, StatusCode expected)
    {
        RpcException e = await FailAsync(async http =>
        {
            await BeginAsync(http, RawCall.Frame([]));
            http.Response.AppendTrailer("grpc-status", text);
        });
        Assert.Equal(expected, e.StatusCode);
    }

    [Fact]
    public async Task Answer_WithoutStatus_IsUnknown() =>
        Assert.Equal(StatusCode.Unknown, (await FailAsync(http => BeginAsync(http, RawCall.Frame([])))).StatusCode);

    [Theory]
    [InlineData("", StatusCode.Internal)] // OK without a message
    [InlineData("0000000000 0000000000", StatusCode.Internal)] // two messages
    [InlineData("00000000", StatusCode.Internal)] // half a prefix
    [InlineData("0000000005 01", StatusCode.Internal)] // truncated
    [InlineData("00ffffffff", StatusCode.ResourceExhausted)]
    [InlineData("0300000000", StatusCode.Internal)] // unknown flag
    [InlineData("0100000001 00", StatusCode.Internal)] // compressed without encoding
    [InlineData("0000000001 ff", StatusCode.Internal)] // no protobuf
    public async Task Answer_MalformedBody_IsAStatus(string hex, StatusCode expected)
    {
        RpcException e = await FailAsync(async http =>
        {
            await BeginAsync(http, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
            http.Response.AppendTrailer("grpc-status", "0");
        });
        Assert.Equal(expected, e.StatusCode);
    }

    [Fact]
    public async Task Answer_AnnouncesMuchAndSendsLittle_CostsLittle()
    {
        // 4 MiB announced, one byte sent, by 50 servers at once: the client must not believe it.
        long before = GC.GetTotalAllocatedBytes();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => FailAsync(async http =>
        {
            await BeginAsync(http, RawCall.Frame([1], length: 4 * 1024 * 1024));
        })));
        Assert.True(GC.GetTotalAllocatedBytes() - before < 150L * 1024 * 1024, "buffers were made from announcements");
    }

    private static async Task BeginAsync(HttpContext http, byte[] body)
    {
        http.Response.ContentType = "application/grpc";
        await http.Response.BodyWriter.WriteAsync(body);
        await http.Response.BodyWriter.FlushAsync();
    }

    private static async Task<RpcException> FailAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        await using WebApplication app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using RpcChannel channel = RpcChannel.ForAddress(address);
        return await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()).ResponseAsync.WaitAsync(RpcHost.Patience));
    }
}
