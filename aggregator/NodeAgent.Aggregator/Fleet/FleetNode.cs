using NodeAgent.V1;

namespace NodeAgent.Aggregator.Fleet;

/// <summary>
/// What the aggregator knows of one node besides its samples. Written by the node's one live session, read by queries: fields are
/// single words or references, so readers see each of them whole though not all of one moment.
/// </summary>
internal sealed class FleetNode(string name, long firstReceivedUnixMs)
{
    private long _lastFrameUnixMs;
    private long _lastReceivedUnixMs;

    internal string Name { get; } = name;

    internal long FirstReceivedUnixMs { get; } = firstReceivedUnixMs;

    /// <summary>The session that is connected now, or null. Replaced under <see cref="FleetRegistry"/>'s lock.</summary>
    internal LinkSession? Session { get; set; }

    internal string AgentVersion { get; set; } = "";

    internal string BootId { get; set; } = "";

    /// <summary>Spool epoch of the last session; 0: none yet. With it, <see cref="LastSequence"/> is the duplicate filter.</summary>
    internal ulong SpoolEpoch { get; set; }

    /// <summary>Highest sequence stored in this epoch.</summary>
    internal ulong LastSequence { get; set; }

    internal ulong DroppedRecords { get; set; }

    /// <summary>Boot and number of the newest kernel log record that came as an event: an agent that restarts reads its kernel log again.</summary>
    internal (string BootId, ulong Sequence) LastKernelRecord { get; set; } = ("", 0);

    internal long ClockOffsetMs { get; set; }

    internal ClockQuality Clock { get; set; }

    internal Inventory? Inventory { get; set; }

    /// <summary>Shortest interval of its schemas; 0: no schema yet.</summary>
    internal int ShortestIntervalMs { get; set; }

    internal long LastFrameUnixMs
    {
        get => Volatile.Read(ref _lastFrameUnixMs);
        set => Volatile.Write(ref _lastFrameUnixMs, value);
    }

    internal long LastReceivedUnixMs
    {
        get => Volatile.Read(ref _lastReceivedUnixMs);
        set => Volatile.Write(ref _lastReceivedUnixMs, value);
    }

    /// <summary>Live, late or down; late from three missed intervals on, but never before 3 s, which any network can take.</summary>
    internal NodeState StateAt(long nowUnixMs)
    {
        if (Session is null)
        {
            return NodeState.Down;
        }

        long patience = Math.Max(3_000, 3L * ShortestIntervalMs);
        return nowUnixMs - LastReceivedUnixMs <= patience ? NodeState.Live : NodeState.Late;
    }
}
