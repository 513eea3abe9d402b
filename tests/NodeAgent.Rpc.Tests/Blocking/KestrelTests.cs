using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Security;
using NodeAgent.Rpc.Tests.Proto;
using NodeAgent.Testing;
using static NodeAgent.Rpc.Tests.Blocking.BlockingHost;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>The blocking client against the server that agents meet, in the clear and with TLS.</summary>
[Collection(BlocksItsThread.Name)]
public sealed class KestrelTests
{
    private static readonly TestPki Ours = new("ours");
    private static readonly TestPki Strangers = new("strangers");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unary_Answer_ComesWithItsStatus(bool tls)
    {
        await using RpcHost host = await StartAsync(tls);
        using BlockingHost client = Connect(host.Address, tls);
        RecordingSink sink = client.Call(Request("hello", 21));
        Assert.Equal(Status.DefaultSuccess, sink.Closed);
        Assert.Equal((42, "hello"), (Reply(Assert.Single(sink.Messages)).Number, Reply(sink.Messages[0]).Text));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Duplex_ManyMessages_ComeBackInOrder(bool tls)
    {
        await using RpcHost host = await StartAsync(tls);
        using BlockingHost client = Connect(host.Address, tls);
        (BlockingStream stream, RecordingSink sink) = client.Open(Duplex);
        for (int i = 0; i < 5000; i++)
        {
            client.Send(stream, Request(number: i, payload: i % 700));
        }

        stream.CloseSend();
        client.WaitFor(() => sink.Closed is not null);
        Assert.Equal(StatusCode.OK, sink.Closed!.Value.StatusCode);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => i * 2), sink.Messages.Select(message => Reply(message).Number));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Duplex_MessagesBeyondEveryWindow_ComeBackWhole(bool tls)
    {
        // The limit counts the payload, so a little must be left for the fields around it.
        const int Largest = (4 * 1024 * 1024) - 64;
        await using RpcHost host = await StartAsync(tls);
        using BlockingHost client = Connect(host.Address, tls);
        (BlockingStream stream, RecordingSink sink) = client.Open(Duplex);
        foreach (int size in (int[])[Largest, 0, 1_000_000, 16_379, 16_380, 65_535])
        {
            client.Send(stream, Request(payload: size));
        }

        stream.CloseSend();
        client.WaitFor(() => sink.Closed is not null);
        Assert.Equal([Largest, 0, 1_000_000, 16_379, 16_380, 65_535], sink.Messages.Select(message => Reply(message).Payload.Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManyStreams_OnOneConnection_EachGetsItsOwn(bool tls)
    {
        await using RpcHost host = await StartAsync(tls);
        using BlockingHost client = Connect(host.Address, tls);
        client.Call(Request()); // now the server's limits are known
        (BlockingStream Stream, RecordingSink Sink)[] calls = [.. Enumerable.Range(0, 500).Select(_ => client.Open(Duplex))];
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < calls.Length; i++)
            {
                client.Send(calls[i].Stream, Request(number: i, payload: 300));
            }
        }

        Array.ForEach(calls, call => call.Stream.CloseSend());
        client.WaitFor(() => calls.All(call => call.Sink.Closed is not null));
        for (int i = 0; i < calls.Length; i++)
        {
            Assert.Equal([i * 2, i * 2, i * 2], calls[i].Sink.Messages.Select(message => Reply(message).Number));
        }
    }

    [Fact]
    public async Task Status_EveryErrorWithMessageAndTrailers_Arrives()
    {
        EchoService service = new()
        {
            OnUnary = (request, context) =>
            {
                context.ResponseTrailers.Add("x-trail", "end");
                context.ResponseTrailers.Add("x-trail-bin", [0, 255, 10]);
                throw new RpcException(new Status((StatusCode)request.Number, request.Text));
            },
        };
        await using RpcHost host = await RpcHost.StartAsync(service);
        using BlockingHost client = new(host.Address);
        for (int code = 1; code <= 16; code++)
        {
            RecordingSink sink = client.Call(Request("100 % of\r\ncafé \U0001F600", code));
            Assert.Equal(new Status((StatusCode)code, "100 % of\r\ncafé \U0001F600"), sink.Closed);
            Assert.Equal("end", sink.Trailers.GetValue("x-trail"));
            Assert.Equal([0, 255, 10], sink.Trailers.GetValueBytes("x-trail-bin"));
            Assert.Empty(sink.Messages);
        }
    }

    [Fact]
    public async Task Metadata_TextAndBytes_ReachTheServer()
    {
        EchoService service = new()
        {
            OnUnary = (_, context) => Task.FromResult(new EchoReply
            {
                Text = $"{context.RequestHeaders.GetValue("x-long")!.Length} {Convert.ToHexString(context.RequestHeaders.GetValueBytes("x-b-bin")!)}"
                    + $" {context.RequestHeaders.GetValue("user-agent")!.Split('/')[0]}",
            }),
        };
        await using RpcHost host = await RpcHost.StartAsync(service);
        using BlockingHost client = new(host.Address, new BlockingConnectionOptions { UserAgent = "test/1" });
        RecordingSink sink = client.Call(Request(), metadata: new Metadata { { "x-long", new string('a', 3000) }, { "x-b-bin", [1, 254] } });
        Assert.Equal("3000 01FE test", Reply(Assert.Single(sink.Messages)).Text);
    }

    [Fact]
    public async Task UnknownMethod_IsUnimplemented()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using BlockingHost client = new(host.Address);
        Assert.Equal(StatusCode.Unimplemented, client.Call(Request(), "/nodeagent.rpc.tests.Echo/Nothing").Closed!.Value.StatusCode);
    }

    [Fact]
    public async Task Cancel_OpenCall_EndsItOnBothSidesAndNoOther()
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        EchoService service = new()
        {
            OnDuplex = async (requests, responses, context) =>
            {
                using CancellationTokenRegistration seen = context.CancellationToken.Register(() => cancelled.TrySetResult());
                while (await requests.MoveNext())
                {
                    await responses.WriteAsync(new EchoReply());
                }
            },
        };
        await using RpcHost host = await RpcHost.StartAsync(service);
        using BlockingHost client = new(host.Address);
        (BlockingStream stream, RecordingSink sink) = client.Open(Duplex);
        Assert.True(stream.TrySend(Request()));
        client.WaitFor(() => sink.Messages.Count == 1);
        stream.Cancel();
        Assert.Equal(Status.DefaultCancelled, sink.Closed);
        Assert.False(stream.TrySend(Request()));
        client.Connection.Flush();
        await cancelled.Task.WaitAsync(RpcHost.Patience);
        Assert.Equal(StatusCode.OK, client.Call(Request()).Closed!.Value.StatusCode);
    }

    [Fact]
    public async Task ServerStops_OpenStream_HearsUnavailableAndConnectionEnds()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using BlockingHost client = new(host.Address);
        (BlockingStream stream, RecordingSink sink) = client.Open(Duplex);
        Assert.True(stream.TrySend(Request()));
        client.WaitFor(() => sink.Messages.Count == 1);
        Task stop = host.StopAsync();
        client.WaitFor(() => client.Connection.Failure is not null);
        await stop.WaitAsync(RpcHost.Patience);
        Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
        Assert.True(client.Connection.IsDraining);
        Assert.Null(client.Connection.TryOpenStream(Unary, null, new RecordingSink()));
        Assert.False(client.Connection.Wait(TimeSpan.Zero));
    }

    [Fact]
    public async Task SlowServer_ManyMessages_RefusesMoreThanItsWindowAndLosesNone()
    {
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        EchoService service = new()
        {
            OnDuplex = async (requests, responses, _) =>
            {
                await read.Task;
                int count = 0;
                while (await requests.MoveNext())
                {
                    Assert.Equal(count++, requests.Current.Number);
                }

                await responses.WriteAsync(new EchoReply { Number = count });
            },
        };
        await using RpcHost host = await RpcHost.StartAsync(service);
        using BlockingHost client = new(host.Address);
        (BlockingStream stream, RecordingSink sink) = client.Open(Duplex);
        int sent = 0;
        for (int refused = 0; refused < 20;)
        {
            if (stream.TrySend(Request(number: sent, payload: 5000)))
            {
                sent++;
            }
            else
            {
                refused++;
                Assert.True(client.Connection.Wait(TimeSpan.FromMilliseconds(5)));
            }
        }

        // 128 KiB of window, and what one message more may leave half sent.
        Assert.InRange(sent, 20, 40);
        Assert.False(stream.IsWritable);
        read.SetResult();
        client.WaitFor(() => stream.IsWritable);
        stream.CloseSend();
        client.WaitFor(() => sink.Closed is not null);
        Assert.Equal(sent, Reply(Assert.Single(sink.Messages)).Number);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Steady_MessageAndAnswer_AllocatesNothing(bool tls)
    {
        await using RpcHost host = await StartAsync(tls);
        using BlockingHost client = Connect(host.Address, tls);
        CountingSink sink = new();
        BlockingStream stream = client.Connection.TryOpenStream(Duplex, null, sink)!;
        byte[] message = Request(payload: 1500);
        Exchange(100);
        Assert.Equal(0, Allocations.Of(() => Exchange(500)));

        void Exchange(int times)
        {
            for (int i = 0; i < times; i++)
            {
                int due = sink.Count + 1;
                if (!stream.TrySend(message))
                {
                    throw new InvalidOperationException("no credit");
                }

                while (sink.Count < due && client.Connection.Wait(RpcHost.Patience))
                {
                }
            }
        }
    }

    [Fact]
    public async Task Tls_StrangersClientCertificate_IsUnavailableWithAHint()
    {
        await using RpcHost host = await StartAsync(tls: true);
        for (int i = 0; i < 5; i++)
        {
            using BlockingHost client = new(host.Address, Options(Ours, Strangers.Issue("node-7", server: false)));
            (_, RecordingSink sink) = client.Open(Unary);
            client.WaitFor(() => sink.Closed is not null);
            Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
            Assert.Contains("client certificate", sink.Closed.Value.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tls_ServerOfStrangers_SaysWhyItIsNotTrusted()
    {
        await using RpcHost host = await StartAsync(tls: true);
        Status failure = Refused(host.Address, Options(Strangers, Ours.Issue("node-7", server: false)));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("certificate", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_ToServerWithoutTls_SaysSo()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        string address = host.Address.Replace("http:", "https:", StringComparison.Ordinal);
        Status failure = Refused(address, Options(Ours, Ours.Issue("node-7", server: false)));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("TLS", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_ToServerWithTls_SaysSo()
    {
        await using RpcHost host = await StartAsync(tls: true);
        using BlockingHost client = new(host.Address.Replace("https:", "http:", StringComparison.Ordinal));
        (_, RecordingSink sink) = client.Open(Unary);
        client.WaitFor(() => sink.Closed is not null);
        Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
    }

    internal static Task<RpcHost> StartAsync(bool tls)
    {
        X509Certificate2 certificate = Ours.Issue("server", server: true);
        return !tls
            ? RpcHost.StartAsync()
            : RpcHost.StartAsync(listen: (listen, server) => server.UseTls(listen, https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (client, _, _) => Ours.Trusts(client);
            }));
    }

    internal static BlockingHost Connect(string address, bool tls, TimeProvider? time = null) =>
        new(address, Options(tls ? Ours : null, Ours.Issue("node-7", server: false), time));

    private static BlockingConnectionOptions Options(TestPki? trusted, X509Certificate2 identity, TimeProvider? time = null) => new()
    {
        Tls = trusted is null ? null : () => MutualTls.ClientOptions("server", trusted.Policy().CustomTrustStore, identity),
        TimeProvider = time ?? TimeProvider.System,
    };

    private static Status Refused(string address, BlockingConnectionOptions options)
    {
        using WakeHandle wake = new();
        Assert.Null(BlockingConnection.TryConnect(new Uri(address), options, wake, CancellationToken.None, out Status failure));
        return failure;
    }

    private sealed class CountingSink : IBlockingStreamSink
    {
        internal int Count { get; private set; }

        public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message) => Count++;

        public void OnClosed(BlockingStream stream, Status status, Metadata trailers) => Assert.Equal(Status.DefaultCancelled, status);
    }
}
