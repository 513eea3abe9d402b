using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>What outlives a connection: who we are, the clocks, the counters, the log, and how often we failed.</summary>
/// <param name="time">Its timestamps must count through a host's sleep and never step; its wall clock is the host's.</param>
internal sealed class UplinkContext(string peer, UplinkIdentity identity, TimeProvider time, Random random, UplinkLog log)
{
    private readonly Backoff _dialing = new(random);
    private readonly Backoff _backlog = new(random);
    private bool _isTurning;

    internal string Peer => peer;

    internal UplinkIdentity Identity => identity;

    internal TimeProvider Time => time;

    internal UplinkLog Log => log;

    /// <summary>Counters and the present condition, for metrics and the status line.</summary>
    internal UplinkState State { get; } = new();

    internal long WallUnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Nanoseconds since boot, as in frames.</summary>
    internal ulong MonotonicNs => (ulong)((Int128)time.GetTimestamp() * 1_000_000_000 / time.TimestampFrequency);

    internal void Connected(Welcome welcome, ulong recordsToSend)
    {
        State.IsConnected = true;
        State.Connections++;
        if (!_isTurning)
        {
            log.Connected(peer, welcome.Node, welcome.AggregatorVersion, recordsToSend);
        }

        _isTurning = false;
    }

    /// <summary>Not a welcome but an acknowledgement makes a connection a good one: where one record breaks every stream, waits must grow.</summary>
    internal void Progressed()
    {
        _dialing.Succeeded();
        _backlog.Succeeded();
    }

    /// <summary>
    /// The aggregator ended the stream in good order, because its time was over: an identity is to be proved anew now and then. Nothing is
    /// wrong, so nobody is told, and it takes a moment only.
    /// </summary>
    internal TimeSpan Turned()
    {
        _isTurning = true;
#pragma warning disable CA5394 // Not for secrets.
        return Backoff.First * random.NextDouble();
#pragma warning restore CA5394
    }

    /// <summary>The connection is over or never came; the wait before the next one.</summary>
    internal TimeSpan Lost(string reason)
    {
        State.IsConnected = false;
        _isTurning = false;
        TimeSpan delay = _dialing.NextDelay();
        log.Lost(peer, reason, delay);
        return delay;
    }

    /// <summary>The backlog's stream failed while the connection goes on; the wait before the next one.</summary>
    internal TimeSpan BacklogFailed(string reason)
    {
        TimeSpan delay = _backlog.NextDelay();
        log.BacklogLost(peer, reason, delay);
        return delay;
    }
}
