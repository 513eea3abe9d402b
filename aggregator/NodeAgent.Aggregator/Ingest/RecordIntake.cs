using Google.Protobuf;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>What became of one message.</summary>
internal enum IntakeOutcome
{
    /// <summary>Logged and stored, or it needed neither.</summary>
    Taken,

    /// <summary>Not stored, or not all of it; kept in the quarantine where it says something about the agent. The stream goes on.</summary>
    Rejected,

    /// <summary>The agent broke the contract; the stream must end.</summary>
    Broken,

    /// <summary>The log has no room, because its disk has failed for too long; the stream must end.</summary>
    NoRoom,
}

/// <summary>
/// Takes one stream's messages in order: decides what is new and what time it has, puts it into the log, and then lets it have its
/// effects. Synchronous, without allocation for a frame; runs under the node's gate.
/// </summary>
internal sealed class RecordIntake(LinkStream stream, FrameClock clock, IngestCore core)
{
    /// <summary>No thinning goes so far: a day of seconds in one record.</summary>
    internal const uint MaxStandsFor = 86_400;

    /// <summary>An event is a line or a page of text.</summary>
    internal const int MaxEventBytes = 64 * 1024;

    /// <summary>A host with thousands of devices.</summary>
    internal const int MaxInventoryBytes = 1 << 20;

    // A number further beyond what the agent holds is a broken number; acknowledging it would make the agent free everything.
    private const ulong MaxLead = 100_000_000;

    private ulong _lastSeen;
    private bool _isLenient;

    /// <summary>Why the last message was not taken: one sentence for both logs.</summary>
    internal string Reason { get; private set; } = "";

    /// <summary>Sequence of the last message; 0: it had none.</summary>
    internal ulong LastSequence { get; private set; }

    /// <summary>The last message was a frame, which another one follows soon.</summary>
    internal bool LastWasFrame { get; private set; }

    private NodeIntake Intake => stream.Intake;

    private RecordEffects Effects => stream.Effects;

    /// <summary>Takes one encoded <c>AgentMessage</c>.</summary>
    internal IntakeOutcome Take(ReadOnlySpan<byte> message, Moment now)
    {
        Reason = "";
        LastSequence = 0;
        LastWasFrame = FrameReader.TryOpen(message, out FrameReader frame);
        if (message.Length > core.Options.MaxMessageBytes)
        {
            Reason = $"message of {message.Length} bytes; {core.Options.MaxMessageBytes} are allowed";
            LastSequence = LastWasFrame ? frame.Sequence : 0;
            return SetAside(new SequenceSpan(LastSequence, LastSequence), message, now);
        }

        if (LastWasFrame)
        {
            return TakeFrame(ref frame, message, now);
        }

        AgentMessage parsed;
        try
        {
            parsed = AgentMessage.Parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            // The second is what Google.Protobuf throws for a length near 2^31, where its own bound overflows.
            return Breach(0, message, now, $"message of {message.Length} bytes is not an AgentMessage: {e.Message}");
        }

        return parsed.BodyCase switch
        {
            AgentMessage.BodyOneofCase.Schema => TakeSchema(parsed.Schema, message, now),
            AgentMessage.BodyOneofCase.Event => TakeEvent(parsed.Event, message, now),
            AgentMessage.BodyOneofCase.Inventory => TakeInventory(parsed.Inventory, message, now),
            AgentMessage.BodyOneofCase.Hello => Breach(0, message, now, "a second hello on one stream"),

            // TryOpen left it to the generated parser: a legal encoding that no serializer we know produces.
            AgentMessage.BodyOneofCase.Frame => Breach(
                parsed.Frame.Sequence, message, now, $"frame {parsed.Frame.Sequence}: it must be the only field of its message"),

            // No records: they have no sequence, and whoever wants them keeps them.
            AgentMessage.BodyOneofCase.Actuator or AgentMessage.BodyOneofCase.CommandProgress or AgentMessage.BodyOneofCase.CommandAnswer => HandOver(parsed),

            // A newer agent may send what this aggregator does not know. Without a sequence it cannot be acknowledged.
            _ => IntakeOutcome.Taken,
        };
    }

    private IntakeOutcome HandOver(AgentMessage message)
    {
        if (stream.Lane == Lane.Live)
        {
            core.Commands?.Take(Intake.Node.Name, message);
        }

        return IntakeOutcome.Taken;
    }

    private IntakeOutcome TakeFrame(ref FrameReader frame, ReadOnlySpan<byte> message, Moment now)
    {
        if (frame.IsMalformed || frame.Sequence == 0)
        {
            return Breach(frame.Sequence, message, now, "frame: its header is malformed or has no sequence");
        }

        FrameReader probe = frame;
        uint? unknown = FindUnknownSchema(ref probe);
        if (probe.IsMalformed)
        {
            return Breach(frame.Sequence, message, now, $"frame {frame.Sequence}: its blocks are malformed");
        }

        SequenceSpan records = new(frame.Sequence - Math.Max(1, probe.StandsFor) + 1, frame.Sequence);
        if (probe.StandsFor > MaxStandsFor || records.First - 1 >= frame.Sequence)
        {
            return Breach(frame.Sequence, message, now, $"frame {frame.Sequence}: it cannot stand for {probe.StandsFor} records");
        }

        bool isDuplicate = stream.Held.Received.Covers(records.First, records.Last);
        if (!isDuplicate && frame.Sequence <= _lastSeen)
        {
            return Breach(frame.Sequence, message, now, $"frame {frame.Sequence}: it comes after {_lastSeen}, and sequences must rise");
        }

        if (unknown is { } id && !PassOver(id, ref frame, message))
        {
            return IntakeOutcome.Broken;
        }

        if (!isDuplicate && _lastSeen == 0 && !frame.IsKey && !AskAgain(frame, message))
        {
            return IntakeOutcome.Broken;
        }

        FrameStamp stamp = new(frame.WallUnixMs, frame.MonotonicNs, frame.Clock, probe.Boot);
        FrameTime time = isDuplicate ? default : clock.Resolve(stamp, now);
        return LogFrame(ref frame, message, now, records, isDuplicate, time);
    }

    private IntakeOutcome LogFrame(
        ref FrameReader frame, ReadOnlySpan<byte> message, Moment now, SequenceSpan records, bool isDuplicate, FrameTime time)
    {
        bool isStored = !isDuplicate && !time.IsRefused;
        long correctionMs = isStored ? time.UnixMs - frame.WallUnixMs : 0;
        WalMessageFlags flags = (!isStored ? WalMessageFlags.DecodeOnly : correctionMs != 0 ? WalMessageFlags.Corrected : WalMessageFlags.None)
            | GapBefore(records, frame.IsKey);
        if (!TryLog(flags, correctionMs, message, now, out ulong logId))
        {
            return IntakeOutcome.NoRoom;
        }

        Receive(records, logId, flags);
        Effects.TakeFrame(ref frame, time.UnixMs, isStored, isInFiles: false, message.Length, now.UnixMs, logId);
        if (frame.IsKey)
        {
            Intake.Log.OnIndependent(stream.Id);
        }

        if (isDuplicate)
        {
            core.Counters.AddDuplicate();
            return IntakeOutcome.Taken;
        }

        CountTime(time, correctionMs);
        Reason = time.Verdict switch
        {
            TimeVerdict.TooNew => FrameClock.TooNew,
            TimeVerdict.TooOld or TimeVerdict.Impossible => FrameClock.TooOld,
            _ => Effects.Problem.Length > 0 ? Effects.Problem : Reason,
        };

        // What is merely too old says nothing about the agent and can be days of records.
        return Reason.Length == 0 ? IntakeOutcome.Taken : Reject(message, now, isKept: time.Verdict != TimeVerdict.TooOld);
    }

    private void CountTime(FrameTime time, long correctionMs)
    {
        if (time.Verdict is TimeVerdict.TooOld)
        {
            core.Counters.AddTooOld();
        }
        else if (time.IsRefused)
        {
            core.Counters.AddImpossibleTime();
        }
        else if (correctionMs != 0)
        {
            core.Counters.AddRebased();
        }
    }

    private uint? FindUnknownSchema(ref FrameReader probe)
    {
        uint? unknown = null;
        while (probe.TryReadBlock(out uint schemaId, out _))
        {
            if (!Effects.Schemas.TryFind(schemaId, out _) && !Effects.Schemas.IsRefused(schemaId))
            {
                unknown ??= schemaId;
            }
        }

        return unknown;
    }

    // A schema can be missing because the way here lost it: a new stream brings it again. An agent that never sends it loses those blocks only.
    private bool PassOver(uint schemaId, ref FrameReader frame, ReadOnlySpan<byte> message)
    {
        LastSequence = frame.Sequence;
        Reason = $"frame {frame.Sequence}: schema {schemaId} was not registered on this stream";
        if (!IsPoison(frame.Sequence, message))
        {
            core.Counters.AddBrokenStream();
            return false;
        }

        FrameReader probe = frame;
        while (probe.TryReadBlock(out uint id, out _))
        {
            if (!Effects.Schemas.TryFind(id, out _))
            {
                Effects.Schemas.Refuse(id, "");
            }
        }

        return true;
    }

    // A stream that begins in the middle of a run cannot be decoded, and the agent may still hold the run's key frame: it is asked for the records
    // again by the stream's end. When it comes to that three times it has no better ones.
    private bool AskAgain(FrameReader probe, ReadOnlySpan<byte> message)
    {
        ulong sequence = probe.Sequence;
        bool lacksKey = false;
        while (probe.TryReadBlock(out _, out ReadOnlySpan<byte> payload))
        {
            lacksKey |= !BlockDecoder.IsKey(payload);
        }

        if (!lacksKey)
        {
            return true;
        }

        LastSequence = sequence;
        Reason = $"frame {sequence}: the stream begins with it, and it builds on frames before it";
        if (IsPoison(sequence, message))
        {
            return true;
        }

        core.Counters.AddBrokenStream();
        return false;
    }

    private IntakeOutcome TakeSchema(Schema schema, ReadOnlySpan<byte> message, Moment now)
    {
        if (!TryLog(WalMessageFlags.None, 0, message, now, out _))
        {
            return IntakeOutcome.NoRoom;
        }

        Reason = Effects.TakeSchema(schema, message) ?? "";
        return Reason.Length == 0 ? IntakeOutcome.Taken : Reject(message, now, isKept: true);
    }

    private IntakeOutcome TakeEvent(Event record, ReadOnlySpan<byte> message, Moment now)
    {
        IntakeOutcome outcome = LogRare("event", record.Sequence, MaxEventBytes, message, now, out ulong logId, out bool isDuplicate);
        if (logId > 0 && !isDuplicate && Effects.TakeEvent(record, now.UnixMs, logId))
        {
            core.Counters.AddEvent();
        }
        else if (logId > 0)
        {
            core.Counters.AddDuplicate();
        }

        return outcome;
    }

    private IntakeOutcome TakeInventory(Inventory record, ReadOnlySpan<byte> message, Moment now)
    {
        // Kept also when it came before: after damage to the log an old one is better than none.
        IntakeOutcome outcome = LogRare("inventory", record.Sequence, MaxInventoryBytes, message, now, out ulong logId, out bool isDuplicate);
        if (logId > 0)
        {
            Effects.TakeInventory(record, now.UnixMs);
            if (isDuplicate)
            {
                core.Counters.AddDuplicate();
            }
        }

        return outcome;
    }

    private IntakeOutcome LogRare(
        string what, ulong sequence, int maxBytes, ReadOnlySpan<byte> message, Moment now, out ulong logId, out bool isDuplicate)
    {
        logId = 0;
        isDuplicate = stream.Held.Received.Covers(sequence, sequence);
        if (sequence == 0)
        {
            return Breach(0, message, now, $"{what} without a sequence");
        }

        if (!isDuplicate && sequence <= _lastSeen)
        {
            return Breach(sequence, message, now, $"{what} {sequence}: it comes after {_lastSeen}, and sequences must rise");
        }

        SequenceSpan records = new(sequence, sequence);
        if (message.Length > maxBytes)
        {
            Reason = $"{what} {sequence}: {message.Length} bytes; {maxBytes} are allowed";
            return SetAside(records, message, now);
        }

        // One that came before is in the log already, durable or not: it waits for all that is there now.
        logId = core.Wal.LastId;
        WalMessageFlags flags = GapBefore(records, isKey: false);
        bool isLogged = !isDuplicate || flags != WalMessageFlags.None;
        if (isLogged && !TryLog(flags | (isDuplicate ? WalMessageFlags.DecodeOnly : WalMessageFlags.None), 0, message, now, out logId))
        {
            return IntakeOutcome.NoRoom;
        }

        Receive(records, logId, flags);
        return IntakeOutcome.Taken;
    }

    private bool TryLog(WalMessageFlags flags, long correctionMs, ReadOnlySpan<byte> message, Moment now, out ulong logId)
    {
        logId = core.Wal.AppendMessage(new WalMessageHeader(stream.Id, flags, now.UnixMs, correctionMs), message);
        Reason = logId == 0 ? "the aggregator's log has no room: its disk fails" : Reason;
        return logId > 0;
    }

    // A gap in the sequence means that the agent dropped records.
    private WalMessageFlags GapBefore(SequenceSpan records, bool isKey) =>
        records.First != _lastSeen + 1 && !isKey ? WalMessageFlags.AfterGap : WalMessageFlags.None;

    private void Receive(SequenceSpan records, ulong logId, WalMessageFlags flags)
    {
        if ((flags & WalMessageFlags.AfterGap) != 0)
        {
            Effects.Schemas.Lose();
        }

        _lastSeen = Math.Max(_lastSeen, records.Last);
        stream.Held.Received.Add(records.First, records.Last);
        Intake.Node.LastSequence = Math.Max(Intake.Node.LastSequence, records.Last);
        LastSequence = records.Last;
        stream.OnCarried(records.Last);
        Intake.Await(logId, records, stream);
    }

    // Broken for the first and second time; the third time it is set aside, and this stream's next ones at once.
    private IntakeOutcome Breach(ulong sequence, ReadOnlySpan<byte> message, Moment now, string reason)
    {
        Reason = reason;
        LastSequence = sequence;
        if (!IsPoison(sequence, message))
        {
            core.Counters.AddBrokenStream();
            return IntakeOutcome.Broken;
        }

        return SetAside(new SequenceSpan(sequence, sequence), message, now);
    }

    private bool IsPoison(ulong sequence, ReadOnlySpan<byte> message)
    {
        _isLenient = _isLenient || Intake.Strikes.IsOut(stream.Held.Epoch, sequence == 0 ? StrikeBook.KeyOf(message) : sequence);
        return _isLenient;
    }

    private IntakeOutcome SetAside(SequenceSpan records, ReadOnlySpan<byte> message, Moment now)
    {
        Effects.Schemas.Lose();
        core.Counters.AddDeadLetter();
        if (IsPlausible(records.Last))
        {
            ulong logId = core.LogSetAside(stream.Id, records);
            if (logId == 0)
            {
                return IntakeOutcome.NoRoom;
            }

            Receive(records, logId, WalMessageFlags.AfterGap);
        }

        return Reject(message, now, isKept: true);
    }

    private bool IsPlausible(ulong sequence) =>
        sequence > _lastSeen && sequence - Math.Min(sequence, Math.Max(_lastSeen, stream.Hello.FirstHeldSequence)) < MaxLead;

    private IntakeOutcome Reject(ReadOnlySpan<byte> message, Moment now, bool isKept)
    {
        core.Counters.AddRejected();
        if (isKept)
        {
            core.Quarantine.Add(Intake.Node.Name, stream.Held.Epoch, LastSequence, now.UnixMs, Reason, message);
            core.Counters.AddQuarantined();
            Intake.Node.QuarantinedRecords++;
        }

        return IntakeOutcome.Rejected;
    }
}
