using Google.Protobuf;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// A stream of the past. Its frames are taken on its node's lane, everything else by the thread that reads the log once the lane rests; so it is
/// used by one thread at a time.
/// </summary>
internal sealed class ReplaySource(ulong id, NodeIntake intake, HeldRecords held, Lane lane, IngestCore core, IngestCounters counters)
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

    /// <summary>Takes a frame. False: what it builds on is not there, and it was when the frame came.</summary>
    /// <param name="frame">Opened.</param>
    /// <param name="header">What was decided about it.</param>
    /// <param name="bytes">Of the message.</param>
    /// <param name="logId">Under which it is in the log.</param>
    /// <param name="isStored">Whether the store may lack it.</param>
    internal bool TryTakeFrame(ref FrameReader frame, in WalMessageHeader header, int bytes, ulong logId, bool isStored)
    {
        NoteGap(header);
        FrameReader probe = frame;
        while (probe.TryReadBlock(out _, out _))
        {
        }

        Receive(new SequenceSpan(frame.Sequence - Math.Max(1, probe.StandsFor) + 1, frame.Sequence));
        bool isNew = (header.Flags & WalMessageFlags.DecodeOnly) == 0;
        _isAfterGap &= !frame.IsKey;
        _effects.TakeFrame(ref frame, frame.WallUnixMs + header.CorrectionMs, isNew, !isStored, bytes, header.ReceivedUnixMs, logId);
        if (frame.IsKey)
        {
            intake.Log.OnIndependent(id);
        }

        bool isLost = _effects.LacksBase && isNew && isStored && !_isAfterGap;
        _isAfterGap |= _effects.Problem.Length > 0 && !_effects.LacksBase; // an unreadable block: its sampler waits for a key
        return !isLost;
    }

    /// <summary>Takes a message that is no frame. False: a later version wrote it.</summary>
    internal bool TryTakeOther(in WalMessageHeader header, ReadOnlySpan<byte> message, ulong logId)
    {
        NoteGap(header);
        AgentMessage parsed = AgentMessage.Parser.ParseFrom(message);
        switch (parsed.BodyCase)
        {
            case AgentMessage.BodyOneofCase.Schema:
                _ = _effects.TakeSchema(parsed.Schema, message);
                return true;
            case AgentMessage.BodyOneofCase.Event:
                Receive(new SequenceSpan(parsed.Event.Sequence, parsed.Event.Sequence));
                if ((header.Flags & WalMessageFlags.DecodeOnly) == 0)
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

    private void NoteGap(in WalMessageHeader header)
    {
        if ((header.Flags & WalMessageFlags.AfterGap) != 0)
        {
            _isAfterGap = true;
            _effects.Schemas.Lose();
        }
    }

    private void Receive(SequenceSpan records)
    {
        held.Received.Add(records.First, records.Last);
        intake.Node.LastSequence = Math.Max(intake.Node.LastSequence, records.Last);
    }
}
