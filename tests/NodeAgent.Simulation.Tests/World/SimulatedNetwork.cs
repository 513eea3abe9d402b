using Grpc.Core;
using NodeAgent.Agent.Uplink;
using NodeAgent.Testing;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>What the network between one agent and the aggregator does.</summary>
internal sealed class NetworkWeather
{
    /// <summary>Connections are refused.</summary>
    internal bool IsRefusing { get; set; }

    /// <summary>Nothing arrives at the aggregator; nobody is told.</summary>
    internal bool IsDeafUp { get; set; }

    /// <summary>Nothing arrives at the agent; nobody is told.</summary>
    internal bool IsDeafDown { get; set; }

    internal TimeSpan Latency { get; set; } = TimeSpan.FromMilliseconds(1);

    internal TimeSpan Jitter { get; set; }

    internal bool IsDeaf => IsDeafUp || IsDeafDown;
}

/// <summary>Dials the aggregator for one agent.</summary>
internal sealed class SimulatedDialer(string agent, SimulatedTime time, Random random, NetworkWeather weather, Func<SimulatedAggregator?> aggregator) : ILinkDialer
{
    private readonly List<SimulatedLink> _links = [];

    public string Peer => "aggregator:1";

    /// <summary>Connections that either side has not forgotten yet.</summary>
    internal IReadOnlyList<SimulatedLink> Links => _links;

    public ILink? TryDial(CancellationToken stop, out string problem)
    {
        problem = weather.IsRefusing || aggregator() is null ? "connection refused" : weather.IsDeaf ? "no answer within 10 s" : "";
        if (problem.Length > 0)
        {
            return null;
        }

        SimulatedLink link = new(agent, time, random, weather, aggregator()!);
        _links.Add(link);
        return link;
    }

    public void Wait(TimeSpan atMost) => throw new InvalidOperationException("BUG: the simulation waits for nothing");

    public void Wake()
    {
        // The world steps every agent whenever anything happens.
    }

    /// <summary>Delivers what is due and lets dead connections be noticed, on both sides.</summary>
    internal void Deliver()
    {
        foreach (SimulatedLink link in _links)
        {
            link.Deliver();
        }

        _links.RemoveAll(static link => link.IsForgotten);
    }

    /// <summary>The agent's host or process is gone: no goodbye, but its kernel, if alive, resets the connections.</summary>
    internal void Abandon(bool isReset) => _links.ForEach(link => link.AbandonByAgent(isReset));
}

/// <summary>One connection. Each stream is a pair of pipes in which messages keep their order, as in HTTP/2.</summary>
internal sealed class SimulatedLink(string agent, SimulatedTime time, Random random, NetworkWeather weather, SimulatedAggregator aggregator) : ILink
{
    /// <summary>Silence after which a ping asks, and silence after a ping that ends a connection; the product's figures.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly List<SimulatedStream> _streams = [];
    private TimeSpan? _deafSince;
    private bool _isAgentGone;
    private bool _isAggregatorGone;

    public string Problem { get; private set; } = "";

    internal bool IsForgotten => (_isAgentGone || Problem.Length > 0) && _isAggregatorGone;

    internal int QueuedBytes => _streams.Sum(stream => stream.QueuedBytes);

    public ILinkStream? Open(ILinkReceiver receiver)
    {
        if (Problem.Length > 0)
        {
            return null;
        }

        _streams.Add(new SimulatedStream(this, agent, receiver));
        return _streams[^1];
    }

    public bool Flush() => throw new InvalidOperationException("BUG: the simulation's agents send in their steps");

    public bool Wait(TimeSpan atMost, Lock turn) => throw new InvalidOperationException("BUG: the simulation waits for nothing");

    public void Dispose() => AbandonByAgent(isReset: !weather.IsDeaf);

    internal SimulatedAggregator Aggregator => aggregator;

    internal bool IsAgentGone => _isAgentGone;

    internal bool IsAggregatorGone => _isAggregatorGone;

    /// <summary>When a message sent now arrives, not before those sent earlier.</summary>
    internal TimeSpan ArrivalAfter(TimeSpan former)
    {
#pragma warning disable CA5394 // Not for secrets.
        TimeSpan arrival = time.Elapsed + weather.Latency + (weather.Jitter * random.NextDouble());
#pragma warning restore CA5394
        return arrival > former ? arrival : former;
    }

    internal void Deliver()
    {
        NoticeSilence();
        NoticeCrash();
        for (int i = 0; i < _streams.Count; i++)
        {
            if (!weather.IsDeafUp && !_isAggregatorGone)
            {
                _streams[i].DeliverUp(time.Elapsed);
            }

            if (!weather.IsDeafDown && !_isAgentGone && Problem.Length == 0)
            {
                _streams[i].DeliverDown(time.Elapsed);
            }
        }
    }

    internal void AbandonByAgent(bool isReset)
    {
        _isAgentGone = true;
        if (isReset)
        {
            EndAggregatorSide();
        }
    }

    private void NoticeSilence()
    {
        if (!weather.IsDeaf)
        {
            _deafSince = null;
            return;
        }

        _deafSince ??= time.Elapsed;
        if (time.Elapsed - _deafSince >= Patience)
        {
            Problem = "no answer to a ping within 5 s";
            EndAggregatorSide();
        }
    }

    private void NoticeCrash()
    {
        if (!aggregator.IsAlive && !_isAggregatorGone)
        {
            _isAggregatorGone = true;
        }

        // Whoever is still there resets what the other side no longer knows, once a packet gets through.
        if (_isAggregatorGone && !_isAgentGone && !weather.IsDeaf && Problem.Length == 0 && _streams.TrueForAll(stream => !stream.HasDown))
        {
            Problem = "connection reset by peer";
        }

        if (_isAgentGone && !_isAggregatorGone && !weather.IsDeaf)
        {
            EndAggregatorSide();
        }
    }

    private void EndAggregatorSide()
    {
        if (!_isAggregatorGone)
        {
            _isAggregatorGone = true;
            _streams.ForEach(static stream => stream.EndAggregatorSide());
        }
    }
}

/// <summary>One stream of a connection.</summary>
internal sealed class SimulatedStream(SimulatedLink link, string agent, ILinkReceiver receiver) : ILinkStream
{
    /// <summary>Bytes under way to the aggregator at most, as a flow-control window.</summary>
    private const int WindowBytes = 64 * 1024;

    private readonly Queue<(TimeSpan At, byte[]? Message)> _up = new(); // null: our side is closed
    private readonly Queue<(TimeSpan At, byte[]? Message, Status End)> _down = new();
    private TimeSpan _lastUp;
    private TimeSpan _lastDown;
    private bool _isCancelled;
    private SimulatedSession? _session;
    private bool _hasOpened;

    internal int QueuedBytes { get; private set; }

    internal bool HasDown => _down.Count > 0;

    public bool TrySend(ReadOnlySpan<byte> message)
    {
        if (QueuedBytes + message.Length > WindowBytes && QueuedBytes > 0)
        {
            return false;
        }

        QueuedBytes += message.Length;
        _lastUp = link.ArrivalAfter(_lastUp);
        _up.Enqueue((_lastUp, message.ToArray()));
        return true;
    }

    public void CloseSend()
    {
        _lastUp = link.ArrivalAfter(_lastUp);
        _up.Enqueue((_lastUp, null));
    }

    public void Cancel()
    {
        _isCancelled = true;
        _down.Clear();
    }

    internal void Answer(byte[] message)
    {
        _lastDown = link.ArrivalAfter(_lastDown);
        _down.Enqueue((_lastDown, message, default));
    }

    internal void End(Status status)
    {
        _lastDown = link.ArrivalAfter(_lastDown);
        _down.Enqueue((_lastDown, null, status));
        _session = null;
    }

    internal void DeliverUp(TimeSpan now)
    {
        if (_isCancelled && _session is not null)
        {
            EndAggregatorSide();
        }

        while (_up.TryPeek(out (TimeSpan At, byte[]? Message) next) && next.At <= now && !_isCancelled)
        {
            _up.Dequeue();
            QueuedBytes -= next.Message?.Length ?? 0;
            if (!_hasOpened && next.Message is not null)
            {
                _hasOpened = true;
                _session = link.Aggregator.Open(agent, this, next.Message);
            }
            else if (next.Message is null)
            {
                _session?.Complete();
            }
            else
            {
                _session?.Take(next.Message);
            }
        }
    }

    internal void DeliverDown(TimeSpan now)
    {
        while (!_isCancelled && _down.TryPeek(out (TimeSpan At, byte[]? Message, Status End) next) && next.At <= now)
        {
            _down.Dequeue();
            if (next.Message is { } message)
            {
                receiver.OnMessage(message);
            }
            else
            {
                receiver.OnEnd(next.End.StatusCode, next.End.Detail);
            }
        }
    }

    internal void EndAggregatorSide()
    {
        _session?.Close();
        _session = null;
    }
}
