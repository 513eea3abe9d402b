using NodeAgent.V1;

namespace NodeAgent.Aggregator.Fleet;

/// <summary>
/// What the aggregator knows of one node besides its samples. Written by ingest under the node's lock, read by queries: fields are
/// single words or references, so readers see each of them whole though not all of one moment.
/// </summary>
internal sealed class FleetNode(string name, long firstReceivedUnixMs)
{
    private long _lastFrameUnixMs;
    private long _lastReceivedUnixMs;

    internal string Name { get; } = name;

    internal long FirstReceivedUnixMs { get; set; } = firstReceivedUnixMs;

    /// <summary>Streams that are open now: none, one, or two while a backlog is handed over.</summary>
    internal int OpenStreams { get; set; }

    internal string AgentVersion { get; set; } = "";

    internal string BootId { get; set; } = "";

    /// <summary>Spool epoch of the last stream; 0: none yet.</summary>
    internal ulong SpoolEpoch { get; set; }

    /// <summary>Highest sequence taken in this epoch.</summary>
    internal ulong LastSequence { get; set; }

    internal ulong DroppedRecords { get; set; }

    internal ulong ThinnedRecords { get; set; }

    internal long ClockOffsetMs { get; set; }

    internal ClockQuality Clock { get; set; }

    /// <summary>What was added to the time of its newest frame, because its clock was off; 0: nothing.</summary>
    internal long ClockCorrectionMs { get; set; }

    /// <summary>Its records that were quarantined since the aggregator started.</summary>
    internal long QuarantinedRecords { get; set; }

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
        if (OpenStreams == 0)
        {
            return NodeState.Down;
        }

        long patience = Math.Max(3_000, 3L * ShortestIntervalMs);
        return nowUnixMs - LastReceivedUnixMs <= patience ? NodeState.Live : NodeState.Late;
    }
}
