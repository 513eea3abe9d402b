using System.Runtime.InteropServices;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>Under which sequences one agent's records were made. Acknowledged ranges span jumps of billions of sequences; only those made are looked at.</summary>
internal sealed class MadeRecords
{
    private readonly Dictionary<ulong, List<MadeRecord>> _byEpoch = [];

    /// <summary>Takes the next record; gives back the one that had this sequence before, 0: none had.</summary>
    internal long Add(ulong epoch, ulong sequence, long number)
    {
        List<MadeRecord> records = Of(epoch);
        int at = IndexFrom(records, sequence);
        if (at < records.Count && records[at].Sequence == sequence)
        {
            long former = records[at].Number;
            records[at] = new MadeRecord(sequence, number);
            return former;
        }

        records.Insert(at, new MadeRecord(sequence, number));
        return 0;
    }

    /// <summary>The records of an epoch from one sequence through another, oldest first. Valid until the next one is added.</summary>
    internal ReadOnlySpan<MadeRecord> Within(ulong epoch, ulong first, ulong last)
    {
        List<MadeRecord> records = Of(epoch);
        int from = IndexFrom(records, first);
        int end = last == ulong.MaxValue ? records.Count : IndexFrom(records, last + 1);
        return CollectionsMarshal.AsSpan(records)[from..Math.Max(from, end)];
    }

    /// <summary>For the message of a failing seed.</summary>
    internal string PlaceOf(long number)
    {
        foreach ((ulong epoch, List<MadeRecord> records) in _byEpoch)
        {
            foreach (MadeRecord made in records.Where(made => made.Number == number))
            {
                return $"epoch {epoch:x}, sequence {made.Sequence:x}";
            }
        }

        return "its sequence was given again";
    }

    private List<MadeRecord> Of(ulong epoch)
    {
        if (!_byEpoch.TryGetValue(epoch, out List<MadeRecord>? records))
        {
            _byEpoch[epoch] = records = [];
        }

        return records;
    }

    private static int IndexFrom(List<MadeRecord> records, ulong sequence)
    {
        int low = 0;
        for (int high = records.Count; low < high;)
        {
            int middle = (low + high) >>> 1;
            (low, high) = records[middle].Sequence < sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>A record's own number, and the sequence that it was given.</summary>
internal readonly record struct MadeRecord(ulong Sequence, long Number);
