using Grpc.Core;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class MetadataTests
{
    private static readonly byte[] Bytes = [0, 1, 2, 0xab, 0xff];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Metadata_TextAndBytes_PassBothWaysInHeadersAndTrailers(bool streaming)
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = async (request, context) =>
            {
                await EchoMetadataAsync(context);
                return EchoService.Reply(request);
            },
            OnServerStream = async (request, responses, context) =>
            {
                await EchoMetadataAsync(context);
                await responses.WriteAsync(EchoService.Reply(request));
            },
        });
        Metadata sent = new() { { "x-text", "a, b" }, { "x-data-bin", Bytes }, { "x-empty-bin", [] } };
        Metadata headers;
        Metadata trailers;
        if (streaming)
        {
            using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest(), sent);
            headers = await call.ResponseHeadersAsync;
            while (await call.ResponseStream.MoveNext())
            {
            }

            trailers = call.GetTrailers();
        }
        else
        {
            using AsyncUnaryCall<EchoReply> call = host.Client().UnaryAsync(new EchoRequest(), sent);
            headers = await call.ResponseHeadersAsync;
            await call;
            trailers = call.GetTrailers();
        }

        Assert.Equal("a, b", headers.GetValue("x-text"));
        Assert.Equal(Bytes, headers.GetValueBytes("x-data-bin"));
        Assert.Empty(Assert.IsType<byte[]>(headers.GetValueBytes("x-empty-bin")));
        Assert.Equal("a, b", trailers.GetValue("t-x-text"));
        Assert.Equal(Bytes, trailers.GetValueBytes("t-x-data-bin"));
    }

    [Fact]
    public async Task Metadata_OneKeyManyValues_KeepsThemAll()
    {
        Metadata? seen = null;
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) =>
            {
                seen = context.RequestHeaders;
                return Task.FromResult(new EchoReply());
            },
        });
        await host.Client().UnaryAsync(new EchoRequest(), new Metadata
        {
            { "k", "1" }, { "k", "2" }, { "b-bin", [1] }, { "b-bin", [2, 3] },
        });
        Assert.Equal(["1", "2"], seen!.GetAll("k").Select(entry => entry.Value).SelectMany(value => value.Split(", ")));
        Assert.Equal([[1], [2, 3]], seen!.GetAll("b-bin").Select(entry => entry.ValueBytes));
    }

    [Fact]
    public async Task Server_PaddedAndJoinedBase64_IsRead()
    {
        Metadata? seen = null;
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) =>
            {
                seen = context.RequestHeaders;
                return Task.FromResult(new EchoReply());
            },
        });
        RawCall.Answer answer = await RawCall.SendAsync(
            host, RawCall.Frame([]), headers: [("a-bin", "AQ==,AgM"), ("broken-bin", "*"), ("grpc-private", "x")]);
        Assert.Equal(StatusCode.OK, answer.Status);
        Assert.Equal([[1], [2, 3]], seen!.GetAll("a-bin").Select(entry => entry.ValueBytes));
        Assert.Null(seen.Get("broken-bin"));
        Assert.Null(seen.Get("grpc-private"));
    }

    [Fact]
    public async Task Server_MetadataOverTheLimit_IsResourceExhausted()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Metadata large = new() { { "big", new string('x', 10_000) } };
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest(), large));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("metadata", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_UserAgent_NamesTheProgramFirst()
    {
        string? seen = null;
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) =>
            {
                seen = context.RequestHeaders.GetValue("user-agent");
                return Task.FromResult(new EchoReply());
            },
        });
        await host.Client(new RpcChannelOptions { UserAgent = "nodeagent/1.2" }).UnaryAsync(new EchoRequest());
        Assert.StartsWith("nodeagent/1.2 grpc-nodeagent/", seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPPER", "upper")]
    [InlineData("a.b_c-1", "a.b_c-1")]
    public void Entry_Key_IsLowerCase(string key, string expected) => Assert.Equal(expected, new Metadata.Entry(key, "v").Key);

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("ä")]
    public void Entry_BadKey_IsRefused(string key) => Assert.ThrowsAny<ArgumentException>(() => new Metadata.Entry(key, "v"));

    [Fact]
    public void Entry_TextForABinaryKey_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("k-bin", "v"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("k", Bytes));
    }

    private static async Task EchoMetadataAsync(ServerCallContext context)
    {
        Metadata headers = [];
        foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            headers.Add(entry);
            context.ResponseTrailers.Add(
                entry.IsBinary ? new Metadata.Entry("t-" + entry.Key, entry.ValueBytes) : new Metadata.Entry("t-" + entry.Key, entry.Value));
        }

        await context.WriteResponseHeadersAsync(headers);
    }
}
