using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Http2;
using NodeAgent.Testing;
using static NodeAgent.Rpc.Tests.Blocking.Frames;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>What a connection does with its socket, its clock and its wakes; the server is a script.</summary>
[Collection(BlocksItsThread.Name)]
public sealed class ConnectionTests
{
    private const string Path = "/s/m";

    [Fact]
    public void Wait_AfterSending_WritesHeadersAndMessageAtOnce()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address);
        (BlockingStream stream, _) = client.Open(Path);
        Assert.True(stream.TrySend([1]));
        client.Connection.Wait(TimeSpan.Zero);
        Assert.Equal([FrameType.Settings, FrameType.Headers, FrameType.Data], server.Hear().Select(frame => frame.Type));
    }

    [Fact]
    public void BrokenFrame_OnTheWire_EndsEveryStreamAndSaysGoodbye()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address);
        (_, RecordingSink first) = client.Open(Path);
        (_, RecordingSink second) = client.Open(Path);
        client.Connection.Flush();
        server.Say(Settings(), Frame(FrameType.Ping, 0, 1, new byte[8]));
        client.WaitFor(() => client.Connection.Failure is not null);
        Assert.Equal(StatusCode.Unavailable, first.Closed!.Value.StatusCode);
        Assert.Equal(client.Connection.Failure, second.Closed);
        Assert.Contains("broke the protocol", second.Closed!.Value.Detail, StringComparison.Ordinal);
        Assert.Equal(FrameType.GoAway, server.Hear()[^1].Type);
    }

    [Fact]
    public void Hangup_PoliteOrNot_IsUnavailable()
    {
        foreach (bool reset in (bool[])[false, true])
        {
            using ScriptedServer server = new();
            using BlockingHost client = new(server.Address);
            (_, RecordingSink sink) = client.Open(Path);
            client.Connection.Flush();
            server.Say(Settings());
            server.Hear();
            client.Connection.Wait(TimeSpan.Zero);
            if (reset)
            {
                server.Reset();
            }
            else
            {
                server.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            }

            client.WaitFor(() => sink.Closed is not null);
            Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
            Assert.Contains(reset ? "reset" : "closed", sink.Closed.Value.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void SilentServer_IsAskedOnceAndThenGivenUp()
    {
        SimulatedTime time = new();
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address, new BlockingConnectionOptions { TimeProvider = time });
        (_, RecordingSink sink) = client.Open(Path);
        client.Connection.Wait(TimeSpan.Zero);
        server.Hear();
        time.Advance(TimeSpan.FromSeconds(5));
        client.Connection.Wait(TimeSpan.Zero);
        client.Connection.Wait(TimeSpan.Zero);
        Assert.Equal([FrameType.Ping], server.Hear().Select(frame => frame.Type));
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.True(client.Connection.Wait(TimeSpan.Zero));
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(client.Connection.Wait(TimeSpan.Zero));
        Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
        Assert.Contains("no sign of life", sink.Closed.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void ServerThatSaysAnything_IsNotGivenUp()
    {
        SimulatedTime time = new();
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address, new BlockingConnectionOptions { TimeProvider = time });
        server.Say(Settings());
        for (int i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromSeconds(9));
            Assert.True(client.Connection.Wait(TimeSpan.Zero));
            server.Say(Frame((FrameType)0x77, 0, 0, []));

            // The answer lies in the socket when the thread, held up itself, looks at the clock: that is not the server's fault.
            time.Advance(TimeSpan.FromSeconds(9));
            Assert.True(client.Connection.Wait(TimeSpan.FromMilliseconds(20)));
        }
    }

    [Fact]
    public void ServerThatReadsNothing_NeverBlocksAndIsGivenUp()
    {
        SimulatedTime time = new();
        using ScriptedServer server = new(receiveBuffer: 4096);
        using BlockingHost client = new(server.Address, new BlockingConnectionOptions { TimeProvider = time, KeepAliveDelay = Timeout.InfiniteTimeSpan });
        (BlockingStream stream, RecordingSink sink) = client.Open(Path);
        server.Say(Settings((PeerSettings.InitialWindowSizeName, int.MaxValue)), WindowUpdate(0, int.MaxValue - 65_535));
        client.WaitFor(() => stream.TrySend(new byte[8_000_000]));
        for (int i = 0; i < 5; i++)
        {
            Assert.False(stream.TrySend([1]));
            Assert.True(client.Connection.Wait(TimeSpan.FromMilliseconds(1)));
        }

        time.Advance(TimeSpan.FromSeconds(11));
        Assert.False(client.Connection.Wait(TimeSpan.Zero));
        Assert.Contains("took nothing", sink.Closed!.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Wait_WithATurn_AnotherThreadSendsMeanwhile()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address);
        (BlockingStream stream, _) = client.Open(Path);
        client.Connection.Flush();
        server.Say(Settings());
        server.Hear();
        using Waiter waiter = new(client);
        for (byte i = 0; i < 20; i++)
        {
            waiter.InTurn(() =>
            {
                Assert.True(stream.TrySend([i]));
                client.Connection.Flush();
            });
            Assert.Contains(FrameType.Data, server.Hear().Select(frame => frame.Type));
        }

        Assert.True(waiter.Stop());
    }

    [Fact]
    public void Wait_WithATurn_FailureMetByAnotherThread_EndsItWithTheSocketStillItsOwn()
    {
        for (int i = 0; i < 20; i++)
        {
            using ScriptedServer server = new();
            using BlockingHost client = new(server.Address);
            (BlockingStream stream, RecordingSink sink) = client.Open(Path);
            client.Connection.Flush();
            server.Say(Settings());
            server.Hear();
            using Waiter waiter = new(client);
            waiter.InTurn(() =>
            {
                server.Reset();
                long start = TimeProvider.System.GetTimestamp();
                while (client.Connection.Failure is null && TimeProvider.System.GetElapsedTime(start) < RpcHost.Patience)
                {
                    stream.TrySend([1]);
                    client.Connection.Flush();
                }

                Assert.NotNull(client.Connection.Failure);
            });
            waiter.AssertEnds();
            Assert.Equal(client.Connection.Failure, sink.Closed);
        }
    }

    [Fact]
    public void Wait_WithATurn_WhatAnotherThreadCouldNotWrite_LeavesWhenTheSocketTakesIt()
    {
        using ScriptedServer server = new(receiveBuffer: 4096);
        using BlockingHost client = new(server.Address, new BlockingConnectionOptions { KeepAliveDelay = Timeout.InfiniteTimeSpan });
        (BlockingStream stream, _) = client.Open(Path);
        client.Connection.Flush();
        server.Say(Settings((PeerSettings.InitialWindowSizeName, int.MaxValue)), WindowUpdate(0, int.MaxValue - 65_535));
        client.WaitFor(() => stream.IsWritable);
        using Waiter waiter = new(client);
        bool tookAll = true;
        waiter.InTurn(() =>
        {
            Assert.True(stream.TrySend(new byte[8_000_000]));
            client.Connection.Flush();
            tookAll = stream.IsWritable;
        });
        Assert.False(tookAll);
        for (int read = 0; read < 8_000_000;)
        {
            read += server.Client.Receive(new byte[1 << 20]);
        }

        Assert.True(waiter.Stop());
    }

    /// <summary>The connection's own thread, which only waits.</summary>
    private sealed class Waiter : IDisposable
    {
        private readonly Lock _turn = new();
        private readonly BlockingHost _client;
        private readonly Thread _thread;
        private volatile bool _isStopping;
        private bool _isAlive = true;

        internal Waiter(BlockingHost client)
        {
            _client = client;
            _thread = new Thread(Run);
            _thread.Start();
        }

        internal void InTurn(Action act)
        {
            lock (_turn)
            {
                act();
            }
        }

        /// <summary>True: the connection lives.</summary>
        internal bool Stop()
        {
            _isStopping = true;
            _client.Wake.Wake();
            Assert.True(_thread.Join(RpcHost.Patience), "it waits for ever");
            return _isAlive;
        }

        /// <summary>The connection is over, and its thread hears of it by itself.</summary>
        internal void AssertEnds()
        {
            Assert.True(_thread.Join(RpcHost.Patience), "it waits for ever");
            Assert.False(_isAlive);
        }

        public void Dispose()
        {
            _isStopping = true;
            _client.Wake.Wake();
            _thread.Join(RpcHost.Patience);
        }

        private void Run()
        {
            lock (_turn)
            {
                while (!_isStopping && _isAlive)
                {
                    _isAlive = _client.Connection.Wait(Timeout.InfiniteTimeSpan, _turn);
                }
            }
        }
    }

    [Fact]
    public void Wait_NothingToDo_LastsAsLongAsAsked()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address);
        long start = TimeProvider.System.GetTimestamp();
        Assert.True(client.Connection.Wait(TimeSpan.FromMilliseconds(30)));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 29, 30_000);
    }

    [Fact]
    public void Dispose_SaysGoodbyeAndEndsStreamsCancelled()
    {
        using ScriptedServer server = new();
        BlockingHost client = new(server.Address);
        (_, RecordingSink sink) = client.Open(Path);
        client.Dispose();
        Assert.Equal(Status.DefaultCancelled, sink.Closed);
        Assert.Equal([FrameType.Settings, FrameType.Headers, FrameType.GoAway], server.Hear().Select(frame => frame.Type));
        Assert.Equal(0, server.Client.Receive(new byte[1]));
    }

    [Fact]
    public void Sink_ThatWaits_IsABug()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new(server.Address);
        client.Open(Path, sink: new RecordingSink { Then = (_, _) => client.Connection.Wait(TimeSpan.Zero) });
        server.Say(Settings(), Head(1), Message(1, [1]));
        Assert.Throws<InvalidOperationException>(() => client.WaitFor(() => false));
    }

    [Fact]
    public async Task Tls_RecordsThatComeInPieces_AreReadWhole()
    {
        foreach (int piece in (int[])[1, 7, 1000])
        {
            await using RpcHost host = await KestrelTests.StartAsync(tls: true);
            using Relay relay = Relay.To(host.Address, piece);
            using BlockingHost client = KestrelTests.Connect(relay.Address.Replace("http:", "https:", StringComparison.Ordinal), tls: true);
            (BlockingStream stream, RecordingSink sink) = client.Open(BlockingHost.Duplex);
            int[] sizes = piece == 1 ? [0, 1, 100, 3000] : [0, 20_000, 3, 150_000];
            Array.ForEach(sizes, size => client.Send(stream, BlockingHost.Request(payload: size)));
            stream.CloseSend();
            client.WaitFor(() => sink.Closed is not null);
            Assert.Equal(sizes, sink.Messages.Select(message => BlockingHost.Reply(message).Payload.Length));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LostLink_WithoutAWord_EndsWithinTheBounds(bool tls)
    {
        await using RpcHost host = await KestrelTests.StartAsync(tls);
        using Relay relay = Relay.To(host.Address);
        string address = tls ? relay.Address.Replace("http:", "https:", StringComparison.Ordinal) : relay.Address;
        SimulatedTime time = new();
        using BlockingHost client = KestrelTests.Connect(address, tls, time);
        (BlockingStream stream, RecordingSink sink) = client.Open(BlockingHost.Duplex);
        client.Send(stream, BlockingHost.Request());
        client.WaitFor(() => sink.Messages.Count == 1);
        relay.GoSilent();
        for (int second = 0; second < 11; second++)
        {
            stream.TrySend(BlockingHost.Request());
            client.Connection.Wait(TimeSpan.Zero);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.False(client.Connection.Wait(TimeSpan.Zero));
        Assert.Equal(StatusCode.Unavailable, sink.Closed!.Value.StatusCode);
    }
}
