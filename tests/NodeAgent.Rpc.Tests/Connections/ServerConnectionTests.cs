using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class ServerConnectionTests : IDisposable
{
    private readonly SimulatedTime _time = new();
    private readonly ServerConnections _connections;

    public ServerConnectionTests() => _connections = new ServerConnections(new RpcServerOptions { TimeProvider = _time });

    public void Dispose() => _connections.Dispose();

    [Fact]
    public async Task Heartbeat_QuietConnection_IsLookedAfterEveryTime()
    {
        Peer peer = new();
        int looked = 0;
        await RunAsync(peer, context =>
        {
            context.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => looked++, this);
            for (int i = 0; i < 10; i++)
            {
                peer.Beat();
            }

            return Task.CompletedTask;
        });
        Assert.Equal(10, looked);
    }

    [Fact]
    public async Task Heartbeat_ConnectionThatReceives_IsPassedOverFourTimesInFive()
    {
        Peer peer = new();
        int looked = 0;
        await RunAsync(peer, async context =>
        {
            context.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => looked++, this);
            for (int i = 0; i < 50; i++)
            {
                ValueTask<ReadResult> read = context.Transport.Input.ReadAsync();
                await peer.Client.Output.WriteAsync(new byte[1]);
                context.Transport.Input.AdvanceTo((await read).Buffer.End);
                peer.Beat();
            }

            // And as soon as it is quiet, at the next beat but one: the last arrival counts for one beat.
            looked -= 10;
            peer.Beat();
        });
        Assert.InRange(looked, 0, 1);
    }

    [Fact]
    public async Task Heartbeat_ProcessStoodStill_WhatThePeerSentIsReadBeforeItIsJudged()
    {
        Peer peer = new();
        int looked = 0;
        await RunAsync(peer, context =>
        {
            context.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => looked++, this);
            _time.Advance(TimeSpan.FromSeconds(1));
            peer.Beat();
            Assert.Equal(1, looked);
            _time.Advance(TimeSpan.FromSeconds(7));
            peer.Beat();
            Assert.Equal(1, looked);
            _time.Advance(TimeSpan.FromSeconds(1));
            peer.Beat();
            Assert.Equal(2, looked);

            // But a machine that is always late still finds dead peers.
            for (int i = 0; i < 20; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(7));
                peer.Beat();
            }

            return Task.CompletedTask;
        });
        Assert.InRange(looked, 5, 7);
    }

    [Fact]
    public async Task Run_TooManyFromOneAddress_AreClosedAtOnceAndCounted()
    {
        int served = 0;
        for (int i = 0; i < 30; i++)
        {
            Peer peer = new("203.0.113.5");
            await RunAsync(peer, _ =>
            {
                served++;
                return Task.CompletedTask;
            });
            Assert.Equal(i >= 20, peer.Aborted);
        }

        Assert.Equal(20, served);
        Assert.Equal((20, 10, 0), (_connections.Admission.Accepted, _connections.Admission.RefusedRate, _connections.Admission.OpenConnections));
    }

    private Task RunAsync(Peer peer, ConnectionDelegate serve) => _connections.RunAsync(peer.Context, serve);

    /// <summary>A connection in memory whose transport is two pipes and whose heart beats by hand.</summary>
    private sealed class Peer : IConnectionHeartbeatFeature
    {
        private readonly List<(Action<object> Action, object State)> _beats = [];

        internal Peer(string address = "127.0.0.1")
        {
            PipeOptions inline = new(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
            Pipe requests = new(inline);
            Pipe responses = new(inline);
            Client = new Duplex(responses.Reader, requests.Writer);
            Context = new Connection(this, new Duplex(requests.Reader, responses.Writer))
            {
                RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 40_000),
            };
            Context.Features.Set<IConnectionHeartbeatFeature>(this);
        }

        internal IDuplexPipe Client { get; }

        internal DefaultConnectionContext Context { get; }

        internal bool Aborted { get; private set; }

        internal void Beat() => _beats.ForEach(beat => beat.Action(beat.State));

        public void OnHeartbeat(Action<object> action, object state) => _beats.Add((action, state));

        private sealed class Connection(Peer peer, IDuplexPipe transport) : DefaultConnectionContext("test", transport, transport)
        {
            public override void Abort(ConnectionAbortedException abortReason) => peer.Aborted = true;
        }

        private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }
}
