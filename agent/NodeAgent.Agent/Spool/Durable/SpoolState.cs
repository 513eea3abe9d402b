using NodeAgent.Agent.Frames;
using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// What a spool knows of itself beside its records; each written copy is whole, and of several the one with the highest serial counts.
/// Layout: docs/formats/spool.md.
/// </summary>
internal sealed record SpoolState
{
    internal const uint Version = 1;

    /// <summary>Grows with every copy written in an epoch.</summary>
    internal required ulong Serial { get; init; }

    internal required ulong Epoch { get; init; }

    /// <summary>Hash of <see cref="SpoolPlan.Owner"/>.</summary>
    internal required ulong Owner { get; init; }

    internal required string BootId { get; init; }

    /// <summary>See <see cref="ISpool.Boot"/>.</summary>
    internal required uint Boot { get; init; }

    /// <summary>Written at an orderly end: nothing came after it.</summary>
    internal bool IsClean { get; init; }

    internal required ulong NextSequence { get; init; }

    internal required uint LastSchemaId { get; init; }

    /// <summary>Records before this one are of no more use.</summary>
    internal required ulong Floor { get; init; }

    /// <summary>In the mark that ends a thinned chapter: records up to this one are superseded by it. Else 0.</summary>
    internal ulong SupersededThrough { get; init; }

    internal required SpoolCounts Counts { get; init; }

    /// <summary>Sequences from the floor on that need no sending: acknowledged, or counted as dropped.</summary>
    internal required IReadOnlyList<SequenceSpan> Settled { get; init; }

    internal void Write(ProtoWriter to)
    {
        to.WriteVarintField(1, Version);
        to.WriteVarintField(2, Serial);
        to.WriteVarintField(3, Epoch);
        to.WriteVarintField(4, Owner);
        to.WriteBytesField(5, System.Text.Encoding.UTF8.GetBytes(BootId));
        to.WriteVarintField(6, Boot);
        to.WriteVarintField(7, IsClean ? 1UL : 0);
        to.WriteVarintField(8, NextSequence);
        to.WriteVarintField(9, LastSchemaId);
        to.WriteVarintField(10, Floor);
        to.WriteVarintField(11, SupersededThrough);
        to.WriteVarintField(12, Counts.DroppedRecords);
        to.WriteVarintField(13, Counts.DroppedSamples);
        to.WriteVarintField(14, Counts.ThinnedRecords);
        to.WriteVarintField(15, Counts.ThinnedSamples);
        to.WriteVarintField(16, Counts.LostRecords);
        ulong previous = 0;
        foreach (SequenceSpan range in Settled)
        {
            to.WriteVarintField(17, range.First - previous);
            to.WriteVarintField(18, range.Last - range.First);
            previous = range.Last;
        }
    }

    /// <summary>Null: no state, or one of a later version (<paramref name="isNewer"/>).</summary>
    internal static SpoolState? TryRead(ReadOnlySpan<byte> bytes, out bool isNewer)
    {
        isNewer = false;
        Span<ulong> fields = stackalloc ulong[19];
        fields.Clear();
        string bootId = "";
        List<SequenceSpan> settled = [];
        ulong previous = 0;
        ProtoReader reader = new(bytes);
        while (reader.TryReadField())
        {
            if (reader.Field == 5)
            {
                bootId = System.Text.Encoding.UTF8.GetString(reader.Bytes);
            }
            else if (reader.Field == 18)
            {
                ulong first = previous + fields[17];
                previous = first + reader.Number;
                settled.Add(new SequenceSpan(first, previous));
            }
            else if (reader.Field < fields.Length)
            {
                fields[reader.Field] = reader.Number;
            }
        }

        isNewer = fields[1] > Version;
        return fields[1] != Version || fields[3] == 0 ? null : new SpoolState
        {
            Serial = fields[2],
            Epoch = fields[3],
            Owner = fields[4],
            BootId = bootId,
            Boot = (uint)fields[6],
            IsClean = fields[7] != 0,
            NextSequence = fields[8],
            LastSchemaId = (uint)fields[9],
            Floor = fields[10],
            SupersededThrough = fields[11],
            Counts = new SpoolCounts(fields[12], fields[13], fields[14], fields[15], fields[16]),
            Settled = settled,
        };
    }
}
