using NodeAgent.Aggregator.Fleet;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// What ingest keeps for one node over its streams: which records it has, which of them wait for the disk, who may send how much. Both
/// of a node's streams, the commit and maintenance come together here, under <see cref="Gate"/>.
/// </summary>
internal sealed class NodeIntake(FleetNode node, IngestOptions options)
{
    /// <summary>An agent has one epoch; an older one comes back only with a restored disk.</summary>
    internal const int MaxEpochs = 4;

    private readonly List<HeldRecords> _epochs = []; // the latest used last
    private readonly Queue<PendingRecord> _pending = new();
    private readonly LinkStream?[] _streams = new LinkStream?[2];

    // Structs that change: not readonly.
    private TokenBucket _records = new(options.RecordsPerSecond, options.RecordsPerSecond * options.BurstSeconds);
    private TokenBucket _bytes = new(options.BytesPerSecond, options.BytesPerSecond * options.BurstSeconds);

    /// <summary>Guards everything here and the node's streams. Held for the work on one message, never during a file call.</summary>
    internal Lock Gate { get; } = new();

    internal FleetNode Node => node;

    /// <summary>Which of the lanes has its frames while the log is read back; see <see cref="ReplayLanes"/>.</summary>
    internal uint ReplayLane { get; init; }

    internal NodeLogPosition Log { get; } = new();

    /// <summary>Bytes of the log when the node's state was written last.</summary>
    internal long StateAtBytes { get; set; }

    internal StrikeBook Strikes { get; } = new();

    internal KernelLogFilter KernelLog { get; } = new();

    /// <summary>Boot in which the agent's clock was seen to agree with the aggregator's.</summary>
    internal string AgreedBoot { get; set; } = "";

    /// <summary>What the latest live stream has registered; null: there was none.</summary>
    internal SchemaTable? LiveSchemas { get; set; }

    internal IReadOnlyList<HeldRecords> Epochs => _epochs;

    /// <summary>The open streams by lane.</summary>
    internal IEnumerable<LinkStream> Streams => _streams.OfType<LinkStream>();

    internal int PendingRecords => _pending.Count;

    internal LinkStream? StreamOf(Lane lane) => _streams[lane == Lane.Backlog ? 1 : 0];

    /// <summary>Puts a stream in its lane; gives back the streams whose time is over.</summary>
    internal List<LinkStream> Attach(LinkStream stream)
    {
        // With a live stream a life of the agent begins, and streams of another epoch are of an earlier one. A backlog may be of an earlier
        // life and sent by the present one, which found it when its disk came back.
        List<LinkStream> former = [.. Streams.Where(other => other.Lane == stream.Lane || (stream.Lane == Lane.Live && other.Held != stream.Held))];
        former.ForEach(Detach);
        _streams[stream.Lane == Lane.Backlog ? 1 : 0] = stream;
        node.OpenStreams = _streams.Count(one => one is not null);
        return former;
    }

    /// <summary>The stream is over; one that took its place stays.</summary>
    internal void Detach(LinkStream stream)
    {
        int at = Array.IndexOf(_streams, stream);
        if (at >= 0)
        {
            _streams[at] = null;
            Log.OnIndependent(stream.Id);
            node.OpenStreams = _streams.Count(one => one is not null);
        }
    }

    /// <summary>The records of an epoch; those of the one that was unused for longest are forgotten.</summary>
    /// <param name="epoch">Which.</param>
    /// <param name="lane">A backlog may be of another epoch than what the node is at.</param>
    internal HeldRecords Epoch(ulong epoch, Lane lane = Lane.Live)
    {
        HeldRecords? held = _epochs.Find(one => one.Epoch == epoch);
        if (held is null)
        {
            held = new HeldRecords(epoch);
            if (_epochs.Count == MaxEpochs)
            {
                _epochs.RemoveAt(0);
            }
        }

        _epochs.Remove(held);
        _epochs.Add(held);
        if (node.SpoolEpoch != epoch && (lane == Lane.Live || node.SpoolEpoch == 0))
        {
            node.SpoolEpoch = epoch;
            node.LastSequence = held.Received.Ranges is [.., SequenceSpan last] ? last.Last : 0;
        }

        return held;
    }

    /// <summary>The records wait for the log record to be on the disk.</summary>
    internal void Await(ulong logId, SequenceSpan records, LinkStream stream) => _pending.Enqueue(new PendingRecord(logId, records, stream));

    /// <summary>What waited for this log record or one before it is durable.</summary>
    internal void Settle(ulong durableLogId)
    {
        while (_pending.TryPeek(out PendingRecord first) && first.LogId <= durableLogId)
        {
            _pending.Dequeue();
            first.Stream.Held.Durable.Add(first.Records.First, first.Records.Last);
            first.Stream.OnDurable(first.Records.Last);
        }
    }

    /// <summary>Pays for a message. 0: fine; else the milliseconds to wait; negative: it was told before and went on for too long.</summary>
    internal long Pay(int bytes, long monotonicMs)
    {
        bool within = _records.TryPay(1, monotonicMs) & _bytes.TryPay(bytes, monotonicMs);
        return within ? 0
            : _records.IsExhausted || _bytes.IsExhausted ? -1
            : Math.Max(1, Math.Max(_records.WaitMs, _bytes.WaitMs));
    }

    private readonly record struct PendingRecord(ulong LogId, SequenceSpan Records, LinkStream Stream);
}
