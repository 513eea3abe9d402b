using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class CallKindTests
{
    [Fact]
    public async Task Unary_OneRequest_AnswersOneResponse()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        EchoReply reply = await host.Client().UnaryAsync(new EchoRequest { Text = "hello", Number = 21 });
        Assert.Equal("hello", reply.Text);
        Assert.Equal(42, reply.Number);
    }

    [Fact]
    public async Task Unary_EmptyMessageBothWays_IsAMessage()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        EchoReply reply = await host.Client().UnaryAsync(new EchoRequest());
        Assert.Equal(new EchoReply(), reply);
    }

    [Fact]
    public async Task BlockingUnary_OneRequest_AnswersOneResponse()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Echo.EchoClient client = host.Client();
        EchoReply reply = await Task.Run(() => client.Unary(new EchoRequest { Number = 4 }));
        Assert.Equal(8, reply.Number);
    }

    [Fact]
    public async Task ClientStream_ManyRequests_AreSummedInOneResponse()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = host.Client().ClientStream();
        for (int i = 1; i <= 1000; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Number = i });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(500_500, (await call).Number);
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
    }

    [Fact]
    public async Task ClientStream_WithoutRequests_IsAnswered()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = host.Client().ClientStream();
        await call.RequestStream.CompleteAsync();
        Assert.Equal(0, (await call).Number);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    public async Task ServerStream_ManyResponses_ArriveInOrder(int count)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest { Number = count });
        int expected = 0;
        await foreach (EchoReply reply in call.ResponseStream.ReadAllAsync())
        {
            Assert.Equal(expected++, reply.Number);
        }

        Assert.Equal(count, expected);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Duplex_PingPong_AnswersEachBeforeTheNext()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        for (int i = 0; i < 200; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Number = i });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(2 * i, call.ResponseStream.Current.Number);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Duplex_ServerSpeaksFirst_IsHeardBeforeAnyRequest()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = async (_, responses, _) => await responses.WriteAsync(new EchoReply { Text = "welcome" }),
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(RpcHost.Patience));
        Assert.Equal("welcome", call.ResponseStream.Current.Text);
    }

    [Fact]
    public async Task Duplex_HalfClosedByClient_ServerGoesOnAnswering()
    {
        TaskCompletionSource sawEnd = new();
        TaskCompletionSource goOn = new();
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = async (requests, responses, _) =>
            {
                Assert.False(await requests.MoveNext());
                sawEnd.SetResult();
                await goOn.Task;
                await responses.WriteAsync(new EchoReply { Number = 7 });
            },
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        await call.RequestStream.CompleteAsync();
        await sawEnd.Task.WaitAsync(RpcHost.Patience);
        goOn.SetResult();
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(7, call.ResponseStream.Current.Number);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Duplex_HalfClosedByServer_WriterLearnsTheStatus()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = (_, _, _) => throw new RpcException(new Status(StatusCode.PermissionDenied, "not you")),
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        RpcException read = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.PermissionDenied, read.StatusCode);
        RpcException write = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
        Assert.Equal("not you", write.Status.Detail);
    }

    [Fact]
    public async Task Unary_FourMebibyteMessages_PassBothWays()
    {
        // The limit counts the message, which holds a few bytes besides the payload.
        await using RpcHost host = await RpcHost.StartAsync();
        ByteString payload = ByteString.CopyFrom(Noise(4 * 1024 * 1024 - 16));
        EchoReply reply = await host.Client().UnaryAsync(new EchoRequest { Payload = payload });
        Assert.Equal(payload, reply.Payload);
    }

    [Fact]
    public async Task Duplex_FourMebibyteMessages_PassBothWays()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        foreach (int size in new[] { 1, 4 * 1024 * 1024 - 16, 100, 1024 * 1024, 0 })
        {
            ByteString payload = ByteString.CopyFrom(Noise(size));
            Task write = call.RequestStream.WriteAsync(new EchoRequest { Payload = payload });
            Assert.True(await call.ResponseStream.MoveNext());
            await write;
            Assert.Equal(payload, call.ResponseStream.Current.Payload);
        }
    }

    [Fact]
    public async Task ServerStream_HandlerReturnsWithoutAwaitingItsWrite_StillDeliversMessageAndStatus()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = (_, responses, _) =>
            {
                _ = responses.WriteAsync(new EchoReply { Payload = ByteString.CopyFrom(new byte[500_000]) });
                return Task.CompletedTask;
            },
        });
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(500_000, call.ResponseStream.Current.Payload.Length);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task WithHost_AnotherAuthority_IsWhatTheServerSees()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) => Task.FromResult(new EchoReply { Text = context.Host }),
        });
        EchoReply reply = await host.Client().WithHost("other.example:1").UnaryAsync(new EchoRequest());
        Assert.Equal("other.example:1", reply.Text);
    }

    internal static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        uint state = 2463534242;
        for (int i = 0; i < length; i++)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            bytes[i] = (byte)state;
        }

        return bytes;
    }
}
