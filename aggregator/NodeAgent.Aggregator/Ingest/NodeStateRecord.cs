using System.Buffers;
using Google.Protobuf;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// All that is known of a node as one log record (docs/formats/wal.md): what the fleet shows, its duplicate filter, and its open streams
/// with their schemas. Written again now and then, so that the log need not be kept from the beginning.
/// </summary>
internal static class NodeStateRecord
{
    private const byte Version = 1;

    /// <summary>Writes the state as it is after all records that the log has taken; under the node's gate.</summary>
    internal static void Write(NodeIntake intake, IBufferWriter<byte> output)
    {
        output.Write([Version]);
        WalFields.AddText(output, intake.Node.Name);
        WalFields.AddZigZag(output, intake.Node.FirstReceivedUnixMs);
        WalFields.AddZigZag(output, intake.Node.LastReceivedUnixMs);
        WalFields.AddZigZag(output, intake.Node.LastFrameUnixMs);
        WalFields.AddZigZag(output, intake.Node.ClockOffsetMs);
        WalFields.AddZigZag(output, intake.Node.ClockCorrectionMs);
        WalFields.AddVarint(output, (ulong)intake.Node.Clock);
        WalFields.AddVarint(output, intake.Node.DroppedRecords);
        WalFields.AddVarint(output, intake.Node.ThinnedRecords);
        WalFields.AddVarint(output, (ulong)intake.Node.ShortestIntervalMs);
        WalFields.AddText(output, intake.Node.AgentVersion);
        WalFields.AddText(output, intake.Node.BootId);
        WalFields.AddText(output, intake.AgreedBoot);
        WalFields.AddBytes(output, intake.Node.Inventory?.ToByteArray());
        WriteHeld(intake, output);
        WriteKernelLog(intake.KernelLog, output);
        WriteStreams(intake, output);
        WriteBoots(intake, output);
    }

    /// <summary>The name of the node that a record is about; null: a later version wrote it, or it makes no sense.</summary>
    internal static string? NameOf(ReadOnlySpan<byte> payload)
    {
        WalFields fields = new(payload);
        return fields.TryReadByte(out byte version) && version == Version && fields.TryReadText(out string name) ? name : null;
    }

    /// <summary>
    /// Puts the state into a node. What is held is added to what it has already, so that a damaged log loses no more of the filter than
    /// it must. Calls <paramref name="onStream"/> for each stream that was open. False: the record makes no sense from some field on.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> payload, NodeIntake intake, Action<ReplayedStream> onStream)
    {
        WalFields fields = new(payload);
        return fields.TryReadByte(out _) && fields.TryReadText(out _)
            && TryReadFacts(ref fields, intake)
            && TryReadHeld(ref fields, intake)
            && TryReadKernelLog(ref fields, intake.KernelLog)
            && TryReadStreams(ref fields, onStream)
            && (fields.Rest.IsEmpty || TryReadBoots(ref fields, intake)); // records from before there were any end here
    }

    private static void WriteHeld(NodeIntake intake, IBufferWriter<byte> output)
    {
        WalFields.AddVarint(output, (ulong)intake.Epochs.Count);
        foreach (HeldRecords held in intake.Epochs)
        {
            WalFields.AddVarint(output, held.Epoch);
            WriteRanges(held.Received, output);
        }
    }

    private static void WriteKernelLog(KernelLogFilter filter, IBufferWriter<byte> output)
    {
        WalFields.AddVarint(output, (ulong)filter.Boots.Count);
        foreach ((string bootId, SequenceSet sequences) in filter.Boots)
        {
            WalFields.AddText(output, bootId);
            WriteRanges(sequences, output);
        }
    }

    private static void WriteRanges(SequenceSet set, IBufferWriter<byte> output)
    {
        WalFields.AddVarint(output, (ulong)set.Ranges.Length);
        foreach (SequenceSpan range in set.Ranges)
        {
            WalFields.AddVarint(output, range.First);
            WalFields.AddVarint(output, range.Last - range.First);
        }
    }

    private static void WriteStreams(NodeIntake intake, IBufferWriter<byte> output)
    {
        WalFields.AddVarint(output, (ulong)intake.Streams.Count());
        foreach (LinkStream stream in intake.Streams)
        {
            WalFields.AddVarint(output, stream.Id);
            WalFields.AddVarint(output, stream.Held.Epoch);
            WalFields.AddVarint(output, (ulong)stream.Lane);
            WalFields.AddVarint(output, (ulong)stream.Effects.Schemas.Known.Count);
            foreach (SchemaColumns schema in stream.Effects.Schemas.Known)
            {
                WalFields.AddBytes(output, schema.Message);
            }
        }
    }

    private static void WriteBoots(NodeIntake intake, IBufferWriter<byte> output)
    {
        WalFields.AddVarint(output, (ulong)intake.Epochs.Count);
        foreach (HeldRecords held in intake.Epochs)
        {
            WalFields.AddVarint(output, held.Epoch);
            WalFields.AddVarint(output, (ulong)held.Boots.Count);
            foreach ((uint boot, long unixMs) in held.Boots)
            {
                WalFields.AddVarint(output, boot);
                WalFields.AddZigZag(output, unixMs);
            }
        }
    }

    private static bool TryReadBoots(ref WalFields fields, NodeIntake intake)
    {
        bool isWhole = fields.TryReadVarint(out ulong epochs);
        for (ulong i = 0; isWhole && i < epochs; i++)
        {
            isWhole = fields.TryReadVarint(out ulong epoch) & fields.TryReadVarint(out ulong boots);
            HeldRecords? held = intake.Epochs.FirstOrDefault(one => one.Epoch == epoch);
            for (ulong b = 0; isWhole && b < boots; b++)
            {
                isWhole = fields.TryReadVarint(out ulong boot) & fields.TryReadZigZag(out long unixMs);
                if (isWhole && held is not null)
                {
                    held.Boots[(uint)boot] = unixMs;
                }
            }
        }

        return isWhole;
    }

    private static bool TryReadFacts(ref WalFields fields, NodeIntake intake)
    {
        if (!fields.TryReadZigZag(out long firstReceived) || !fields.TryReadZigZag(out long lastReceived) || !fields.TryReadZigZag(out long lastFrame)
            || !fields.TryReadZigZag(out long offset) || !fields.TryReadZigZag(out long correction) || !fields.TryReadVarint(out ulong clock)
            || !fields.TryReadVarint(out ulong dropped) || !fields.TryReadVarint(out ulong thinned) || !fields.TryReadVarint(out ulong interval)
            || !fields.TryReadText(out string version) || !fields.TryReadText(out string boot) || !fields.TryReadText(out string agreed)
            || !fields.TryReadBytes(out ReadOnlySpan<byte> inventory))
        {
            return false;
        }

        intake.Node.FirstReceivedUnixMs = Math.Min(intake.Node.FirstReceivedUnixMs, firstReceived);
        intake.Node.LastReceivedUnixMs = lastReceived;
        intake.Node.LastFrameUnixMs = lastFrame;
        intake.Node.ClockOffsetMs = offset;
        intake.Node.ClockCorrectionMs = correction;
        intake.Node.Clock = (ClockQuality)clock;
        intake.Node.DroppedRecords = dropped;
        intake.Node.ThinnedRecords = thinned;
        intake.Node.ShortestIntervalMs = (int)interval;
        intake.Node.AgentVersion = version;
        intake.Node.BootId = boot;
        intake.AgreedBoot = agreed;
        if (!inventory.IsEmpty)
        {
            intake.Node.Inventory = Inventory.Parser.ParseFrom(inventory);
        }

        return true;
    }

    private static bool TryReadHeld(ref WalFields fields, NodeIntake intake)
    {
        if (!fields.TryReadVarint(out ulong epochs))
        {
            return false;
        }

        for (ulong i = 0; i < epochs; i++)
        {
            if (!fields.TryReadVarint(out ulong epoch))
            {
                return false;
            }

            HeldRecords held = intake.Epoch(epoch);
            if (!TryReadRanges(ref fields, held.Received))
            {
                return false;
            }

            intake.Node.LastSequence = held.Received.Ranges is [.., SequenceSpan last] ? last.Last : 0;
        }

        return true;
    }

    private static bool TryReadKernelLog(ref WalFields fields, KernelLogFilter filter)
    {
        if (!fields.TryReadVarint(out ulong boots))
        {
            return false;
        }

        for (ulong i = 0; i < boots; i++)
        {
            if (!fields.TryReadText(out string bootId) || !TryReadRanges(ref fields, filter.Of(bootId)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadRanges(ref WalFields fields, SequenceSet into)
    {
        if (!fields.TryReadVarint(out ulong ranges))
        {
            return false;
        }

        for (ulong i = 0; i < ranges; i++)
        {
            if (!fields.TryReadVarint(out ulong first) || !fields.TryReadVarint(out ulong length) || length > ulong.MaxValue - first)
            {
                return false;
            }

            into.Add(first, first + length);
        }

        return true;
    }

    private static bool TryReadStreams(ref WalFields fields, Action<ReplayedStream> onStream)
    {
        if (!fields.TryReadVarint(out ulong streams))
        {
            return false;
        }

        for (ulong i = 0; i < streams; i++)
        {
            if (!fields.TryReadVarint(out ulong id) || !fields.TryReadVarint(out ulong epoch) || !fields.TryReadVarint(out ulong lane)
                || !fields.TryReadVarint(out ulong schemas))
            {
                return false;
            }

            List<byte[]> messages = [];
            for (ulong s = 0; s < schemas; s++)
            {
                if (!fields.TryReadBytes(out ReadOnlySpan<byte> message))
                {
                    return false;
                }

                messages.Add(message.ToArray());
            }

            onStream(new ReplayedStream(id, epoch, lane == (ulong)Lane.Backlog ? Lane.Backlog : Lane.Live, messages));
        }

        return true;
    }
}

/// <summary>A stream that was open when a node's state was written.</summary>
internal sealed record ReplayedStream(ulong Id, ulong Epoch, Lane Lane, IReadOnlyList<byte[]> Schemas);
