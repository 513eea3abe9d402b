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
internal sealed class WalReplay(IngestCore core, LogUpkeep upkeep)
{
    private readonly Dictionary<ulong, Source> _streams = [];
    private readonly Dictionary<(string Node, Lane Lane), ulong> _current = [];
    private readonly IngestCounters _counters = new(); // what came before the start is no work of this run
    private readonly ulong _storedUpTo = (core.Store as IDurableStore)?.RecoveredWalId ?? 0;
    private long _bytes;
    private bool _isHarmed; // records are missing that nobody let go of

    internal void Run()
    {
        LoseHead();
        using JournalReader reader = core.Wal.OpenReader();
        while (reader.TryReadPatiently(out JournalRecord record))
        {
            if (record.LostBefore > 0)
            {
                _isHarmed = true;
                LoseAll();
            }

            core.Counters.AddReplayed();
            _bytes += record.Payload.Length;
            if (!TryTake(record, out long receivedUnixMs))
            {
                core.Counters.AddReplaySkipped();

                // After a cut it is in the store's files; after damage it is as lost as what it builds on.
                core.Counters.AddReplayLosses(_isHarmed && record.Id > _storedUpTo ? 1 : 0);
            }

            if (receivedUnixMs > 0)
            {
                upkeep.OnReplayed(receivedUnixMs, record.Id, _bytes);
            }
        }

        core.Counters.AddReplayLosses((long)reader.LostRecords);
        core.Wal.CountReplayed(_bytes);
        Finish();
    }

    // Everything below the log's floor was let go of; what is missing above it before the oldest file, somebody removed. Of that the store may
    // have some in files of its own.
    private void LoseHead()
    {
        RecoveryReport found = core.Wal.Recovery;
        ulong end = found.Floor + found.MissingAtHead;
        ulong first = Math.Max(found.Floor, _storedUpTo + 1);
        if (first < end)
        {
            _isHarmed = true;
            core.Counters.AddReplayLosses((long)(end - first));
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
        NodeIntake intake = core.IntakeOf(opening.Node, opening.ReceivedUnixMs);
        HeldRecords held = intake.Epoch(opening.Hello.SpoolEpoch, opening.Hello.Lane);
        held.NoteBoot(opening.Hello.Boot, opening.Hello.MonotonicNs, opening.ReceivedUnixMs);
        held.Skip(opening.Hello.FirstHeldSequence);
        intake.Log.OnOpened(record.Id);
        RecordEffects.TakeHello(intake.Node, opening.Hello, opening.ReceivedUnixMs);
        Begin(new Source(record.Id, intake, held, opening.Hello.Lane == Lane.Backlog ? Lane.Backlog : Lane.Live, core, _counters));
        return true;
    }

    private bool TryTakeState(in JournalRecord record)
    {
        if (NodeStateRecord.NameOf(record.Payload) is not { } name)
        {
            return false;
        }

        NodeIntake intake = core.IntakeOf(name, long.MaxValue);
        List<ulong> open = [];
        bool isWhole = NodeStateRecord.TryRead(record.Payload, intake, stream =>
        {
            open.Add(stream.Id);
            if (!_streams.ContainsKey(stream.Id))
            {
                Begin(new Source(stream.Id, intake, intake.Epoch(stream.Epoch, stream.Lane), stream.Lane, core, _counters));
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
        return isReadable && _streams.TryGetValue(header.Stream, out Source? source)
            && source.TryTake(header, fields.Rest, record.Id, isStored: record.Id > _storedUpTo);
    }

    private bool TrySetAside(in JournalRecord record)
    {
        WalFields fields = new(record.Payload);
        if (!fields.TryReadVarint(out ulong stream) || !fields.TryReadVarint(out ulong first) || !fields.TryReadVarint(out ulong last)
            || !_streams.TryGetValue(stream, out Source? source))
        {
            return false;
        }

        source.SetAside(new SequenceSpan(first, last));
        return true;
    }

    private void Begin(Source source)
    {
        if (_current.Remove((source.Intake.Node.Name, source.Lane), out ulong former) && _streams.Remove(former))
        {
            source.Intake.Log.OnIndependent(former);
        }

        _current[(source.Intake.Node.Name, source.Lane)] = source.Id;
        _streams[source.Id] = source;
    }

    private void LoseAll()
    {
        foreach (Source source in _streams.Values)
        {
            source.Lose();
        }
    }

    // No stream has survived; what was read is durable.
    private void Finish()
    {
        foreach (Source source in _streams.Values)
        {
            source.Intake.Log.OnIndependent(source.Id);
        }

        foreach (NodeIntake intake in core.Nodes)
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

    /// <summary>A stream of the past.</summary>
    private sealed class Source(ulong id, NodeIntake intake, HeldRecords held, Lane lane, IngestCore core, IngestCounters counters)
    {
        private readonly RecordEffects _effects = new(intake, lane, core, counters);
        private bool _isAfterGap; // what lacks its base here lacked it when it came, and was rejected then

        internal ulong Id => id;

        internal NodeIntake Intake => intake;

        internal Lane Lane => lane;

        internal void Lose() => _effects.Schemas.Lose();

        internal void TakeSchemas(IReadOnlyList<byte[]> messages)
        {
            foreach (byte[] message in messages)
            {
                if (AgentMessage.Parser.ParseFrom(message).Schema is { } schema)
                {
                    _ = _effects.TakeSchema(schema, message);
                }
            }
        }

        internal void SetAside(SequenceSpan records)
        {
            _isAfterGap = true;
            _effects.Schemas.Lose();
            Receive(records);
        }

        internal bool TryTake(in WalMessageHeader header, ReadOnlySpan<byte> message, ulong logId, bool isStored)
        {
            if ((header.Flags & WalMessageFlags.AfterGap) != 0)
            {
                _isAfterGap = true;
                _effects.Schemas.Lose();
            }

            if (FrameReader.TryOpen(message, out FrameReader frame))
            {
                return TryTakeFrame(ref frame, header, message.Length, logId, isStored);
            }

            bool isNew = (header.Flags & WalMessageFlags.DecodeOnly) == 0;
            AgentMessage parsed = AgentMessage.Parser.ParseFrom(message);
            switch (parsed.BodyCase)
            {
                case AgentMessage.BodyOneofCase.Schema:
                    _ = _effects.TakeSchema(parsed.Schema, message);
                    return true;
                case AgentMessage.BodyOneofCase.Event:
                    Receive(new SequenceSpan(parsed.Event.Sequence, parsed.Event.Sequence));
                    if (isNew)
                    {
                        _effects.TakeEvent(parsed.Event, header.ReceivedUnixMs, logId);
                    }

                    return true;
                case AgentMessage.BodyOneofCase.Inventory:
                    Receive(new SequenceSpan(parsed.Inventory.Sequence, parsed.Inventory.Sequence));
                    _effects.TakeInventory(parsed.Inventory, header.ReceivedUnixMs);
                    return true;
                default:
                    return false;
            }
        }

        // False: what it builds on is not there.
        private bool TryTakeFrame(ref FrameReader frame, in WalMessageHeader header, int bytes, ulong logId, bool isStored)
        {
            FrameReader probe = frame;
            while (probe.TryReadBlock(out _, out _))
            {
            }

            Receive(new SequenceSpan(frame.Sequence - Math.Max(1, probe.StandsFor) + 1, frame.Sequence));
            bool isNew = (header.Flags & WalMessageFlags.DecodeOnly) == 0;
            _isAfterGap &= !frame.IsKey;
            _effects.TakeFrame(ref frame, frame.WallUnixMs + header.CorrectionMs, isNew && isStored, bytes, header.ReceivedUnixMs, logId);
            if (frame.IsKey)
            {
                intake.Log.OnIndependent(id);
            }

            bool isLost = _effects.LacksBase && isNew && isStored && !_isAfterGap;
            _isAfterGap |= _effects.Problem.Length > 0 && !_effects.LacksBase; // an unreadable block: its sampler waits for a key
            return !isLost;
        }

        private void Receive(SequenceSpan records)
        {
            held.Received.Add(records.First, records.Last);
            intake.Node.LastSequence = Math.Max(intake.Node.LastSequence, records.Last);
        }
    }
}
