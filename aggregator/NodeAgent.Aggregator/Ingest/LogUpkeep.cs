using System.Buffers;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Keeps the log such that it can be let go of from the front: writes nodes' states again when they have become old, a few at a time,
/// and tells retention how far things are. Driven by one thread.
/// </summary>
internal sealed class LogUpkeep(IngestCore core)
{
    // A mark for each so many bytes, and at least one a minute: retention lets go in these steps.
    private const long MarkMs = 60_000;

    // Each run touches every node and every schema: with a fleet that is most of what upkeep costs.
    private const long RunEveryMs = 5_000;

    private readonly LogRetention _retention = new(core.Wal, core.Options);
    private readonly ArrayBufferWriter<byte> _state = new();
    private long _markedBytes = -1;
    private long _markedUnixMs;
    private long _rewrittenAt;
    private long _ranAtMs = long.MinValue / 2;
    private long _ranAtBytes;

    private long MarkBytes => core.Options.WalSegmentBytes / 4;

    /// <summary>Whether enough time has passed, or bytes have come, since the last run.</summary>
    internal bool IsDue(Moment now) => core.Wal.IsFailing
        || now.MonotonicMs - _ranAtMs >= RunEveryMs || core.Wal.Bytes - _ranAtBytes >= MarkBytes;

    internal void Run(Moment now)
    {
        _ranAtMs = now.MonotonicMs;
        _ranAtBytes = core.Wal.Bytes;
        if (core.Wal.IsFailing)
        {
            // Room may be what is missing, so letting go is all that is done.
            Enforce(now);
            return;
        }

        RewriteStates();
        NoteMark(now.UnixMs, core.Wal.LastId, core.Wal.Bytes);
        Enforce(now);
    }

    /// <summary>While the log is read back: so far it has so many bytes, up to this record.</summary>
    internal void OnReplayed(long unixMs, ulong id, long bytes) => NoteMark(unixMs, id, bytes);

    private void Enforce(Moment now)
    {
        ulong safeId = core.Store is IDurableStore durable ? durable.DurableThrough(Math.Min(core.SettledId(), core.Wal.DurableId)) : 0;
        _retention.Enforce(now.UnixMs, core.Journal.Bound(safeId), core.LogReadFrom());
    }

    private void NoteMark(long unixMs, ulong id, long bytes)
    {
        bool isDue = bytes - _markedBytes >= MarkBytes || (bytes > _markedBytes && unixMs - _markedUnixMs >= MarkMs);
        if (!isDue && _markedBytes >= 0)
        {
            return;
        }

        ulong neededFrom = ulong.MaxValue;
        ulong stateFrom = ulong.MaxValue;
        foreach (NodeIntake intake in core.Nodes)
        {
            lock (intake.Gate)
            {
                neededFrom = intake.Log.NeededFrom > 0 ? Math.Min(neededFrom, intake.Log.NeededFrom) : neededFrom;
                stateFrom = intake.Log.StateAt > 0 ? Math.Min(stateFrom, intake.Log.StateAt) : stateFrom;
            }
        }

        _markedBytes = bytes;
        _markedUnixMs = unixMs;
        _retention.Note(unixMs, id, bytes, Math.Min(neededFrom, id), Math.Min(stateFrom, id));
    }

    // The oldest first, and of the bytes that came since the last time at most a quarter more: a thousand nodes that are due at once are
    // written over many seconds.
    private void RewriteStates()
    {
        long bytes = core.Wal.Bytes;
        long budget = (1 << 20) + ((bytes - _rewrittenAt) / 4);
        _rewrittenAt = bytes;
        IEnumerable<NodeIntake> due = core.Nodes.Where(node => bytes - node.StateAtBytes >= core.Options.RelogBytes);
        foreach (NodeIntake intake in due.OrderBy(node => node.StateAtBytes).ThenBy(node => node.Node.Name, StringComparer.Ordinal))
        {
            budget -= Rewrite(intake);
            if (budget <= 0)
            {
                return;
            }
        }
    }

    private long Rewrite(NodeIntake intake)
    {
        lock (intake.Gate)
        {
            _state.ResetWrittenCount();
            NodeStateRecord.Write(intake, _state);
            ulong id = core.Wal.Append(WalRecordType.Node, _state.WrittenSpan);
            if (id == 0)
            {
                return 0;
            }

            intake.Log.OnState(id, intake.Streams.Select(stream => stream.Id));
            intake.StateAtBytes = core.Wal.Bytes;
            return _state.WrittenCount;
        }
    }
}
