using Google.Protobuf;
using NodeAgent.Contracts.Sequences;
using NodeAgent.Journal.Reading;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Brings back what the log holds: the fleet, the duplicate filters, the events, and the samples that the store has not in files of its
/// own. What was decided when a record came stands beside it, so nothing is decided again. Records that lean on damaged or released
/// ones are counted and passed over: right behind the place up to which the log was let go of there are always some.
/// </summary>
internal sealed class WalReplay
{
    private readonly IngestCore _core;
    private readonly LogUpkeep _upkeep;
    private readonly ReplayLanes _lanes;
    private readonly Dictionary<ulong, ReplaySource> _streams = [];
    private readonly Dictionary<(string Node, Lane Lane), ulong> _current = [];
    private readonly IngestCounters _counters = new(); // what came before the start is no work of this run
    private readonly ulong _storedUpTo;
    private long _bytes;
    private volatile bool _isHarmed; // records are missing that nobody let go of

    internal WalReplay(IngestCore core, LogUpkeep upkeep)
    {
        _core = core;
        _upkeep = upkeep;
        _lanes = new ReplayLanes(_core.Options.ReplayThreads, TakeFrame);
        _storedUpTo = (_core.Store as IDurableStore)?.RecoveredWalId ?? 0;
    }

    internal void Run()
    {
        try
        {
            ReadAll();
        }
        finally
        {
            _lanes.End();
        }

        Finish();
    }

    private void ReadAll()
    {
        LoseHead();
        using JournalReader reader = _core.Wal.OpenReader();
        while (reader.TryReadPatiently(out JournalRecord record))
        {
            if (record.LostBefore > 0)
            {
                LoseAll();
                _isHarmed = true;
            }

            _core.Counters.AddReplayed();
            _bytes += record.Payload.Length;
            if (!TryTake(record, out long receivedUnixMs))
            {
                PassOver(record.Id);
            }

            if (receivedUnixMs > 0)
            {
                _upkeep.OnReplayed(receivedUnixMs, record.Id, _bytes);
            }
        }

        _core.Counters.AddReplayLosses((long)reader.LostRecords);
        _core.Wal.CountReplayed(_bytes);
    }

    // After a cut it is in the store's files; after damage it is as lost as what it builds on.
    private void PassOver(ulong id)
    {
        _core.Counters.AddReplaySkipped();
        _core.Counters.AddReplayLosses(_isHarmed && id > _storedUpTo ? 1 : 0);
    }

    // Everything below the log's floor was let go of; what is missing above it before the oldest file, somebody removed. Of that the store may
    // have some in files of its own.
    private void LoseHead()
    {
        RecoveryReport found = _core.Wal.Recovery;
        ulong end = found.Floor + found.MissingAtHead;
        ulong first = Math.Max(found.Floor, _storedUpTo + 1);
        if (first < end)
        {
            _isHarmed = true;
            _core.Counters.AddReplayLosses((long)(end - first));
        }
    }

    private bool TryTake(in JournalRecord record, out long receivedUnixMs)
    {
        receivedUnixMs = 0;
        try
        {
            return (WalRecordType)record.Type switch
            {
                WalRecordType.Open => TryOpen(record, out receivedUnixMs),
                WalRecordType.Message => TryTakeMessage(record, out receivedUnixMs),
                WalRecordType.Node => TryTakeState(record),
                WalRecordType.SetAside => TrySetAside(record),
                _ => false,
            };
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            // A message that a later version wrote, or damage that no checksum saw: the caller counts the record as passed over.
            return false;
        }
    }

    private bool TryOpen(in JournalRecord record, out long receivedUnixMs)
    {
        receivedUnixMs = 0;
        if (WalOpening.Read(record.Payload) is not { } opening)
        {
            return false;
        }

        receivedUnixMs = opening.ReceivedUnixMs;
        NodeIntake intake = RestingIntakeOf(opening.Node, opening.ReceivedUnixMs);
        HeldRecords held = intake.Epoch(opening.Hello.SpoolEpoch, opening.Hello.Lane);
        held.NoteBoot(opening.Hello.Boot, opening.Hello.MonotonicNs, opening.ReceivedUnixMs);
        held.Skip(opening.Hello.FirstHeldSequence);
        intake.Log.OnOpened(record.Id);
        RecordEffects.TakeHello(intake.Node, opening.Hello, opening.ReceivedUnixMs);
        Begin(new ReplaySource(record.Id, intake, held, opening.Hello.Lane == Lane.Backlog ? Lane.Backlog : Lane.Live, _core, _counters));
        return true;
    }

    private bool TryTakeState(in JournalRecord record)
    {
        if (NodeStateRecord.NameOf(record.Payload) is not { } name)
        {
            return false;
        }

        NodeIntake intake = RestingIntakeOf(name, long.MaxValue);
        List<ulong> open = [];
        bool isWhole = NodeStateRecord.TryRead(record.Payload, intake, stream =>
        {
            open.Add(stream.Id);
            if (!_streams.ContainsKey(stream.Id))
            {
                Begin(new ReplaySource(stream.Id, intake, intake.Epoch(stream.Epoch, stream.Lane), stream.Lane, _core, _counters));
                _streams[stream.Id].TakeSchemas(stream.Schemas);
            }
        });
        intake.Log.OnState(record.Id, open);
        intake.StateAtBytes = _bytes;
        return isWhole;
    }

    private bool TryTakeMessage(in JournalRecord record, out long receivedUnixMs)
    {
        WalFields fields = new(record.Payload);
        bool isReadable = WalMessageHeader.TryRead(ref fields, out WalMessageHeader header);
        receivedUnixMs = header.ReceivedUnixMs;
        if (!isReadable || !_streams.TryGetValue(header.Stream, out ReplaySource? source))
        {
            return false;
        }

        if (FrameReader.TryOpen(fields.Rest, out _))
        {
            _lanes.Add(source, record.Payload, record.Id);
            return true; // the lane counts what it cannot take
        }

        _lanes.Drain(source.Intake);
        return source.TryTakeOther(header, fields.Rest, record.Id);
    }

    // On a lane's thread. The gate is for upkeep, which notes between records how far back each node's log is needed.
    private void TakeFrame(ReplaySource source, ReadOnlySpan<byte> message, ulong logId)
    {
        WalFields fields = new(message);
        bool isTaken = WalMessageHeader.TryRead(ref fields, out WalMessageHeader header) & FrameReader.TryOpen(fields.Rest, out FrameReader frame);
        try
        {
            lock (source.Intake.Gate)
            {
                isTaken = isTaken && source.TryTakeFrame(ref frame, header, fields.Rest.Length, logId, isStored: logId > _storedUpTo);
            }
        }
        catch (IndexOutOfRangeException)
        {
            isTaken = false; // as in TryTake
        }

        if (!isTaken)
        {
            PassOver(logId);
        }
    }

    private bool TrySetAside(in JournalRecord record)
    {
        WalFields fields = new(record.Payload);
        if (!fields.TryReadVarint(out ulong stream) || !fields.TryReadVarint(out ulong first) || !fields.TryReadVarint(out ulong last)
            || !_streams.TryGetValue(stream, out ReplaySource? source))
        {
            return false;
        }

        _lanes.Drain(source.Intake);
        source.SetAside(new SequenceSpan(first, last));
        return true;
    }

    private void Begin(ReplaySource source)
    {
        if (_current.Remove((source.Intake.Node.Name, source.Lane), out ulong former) && _streams.Remove(former))
        {
            source.Intake.Log.OnIndependent(former);
        }

        _current[(source.Intake.Node.Name, source.Lane)] = source.Id;
        _streams[source.Id] = source;
    }

    private NodeIntake RestingIntakeOf(string node, long nowUnixMs)
    {
        NodeIntake intake = _core.IntakeOf(node, nowUnixMs);
        _lanes.Drain(intake);
        return intake;
    }

    private void LoseAll()
    {
        _lanes.DrainAll();
        foreach (ReplaySource source in _streams.Values)
        {
            source.Lose();
        }
    }

    // No stream has survived; what was read is durable.
    private void Finish()
    {
        foreach (ReplaySource source in _streams.Values)
        {
            source.Intake.Log.OnIndependent(source.Id);
        }

        foreach (NodeIntake intake in _core.Nodes)
        {
            foreach (HeldRecords held in intake.Epochs)
            {
                foreach (SequenceSpan range in held.Received.Ranges)
                {
                    held.Durable.Add(range.First, range.Last);
                }
            }
        }
    }
}
