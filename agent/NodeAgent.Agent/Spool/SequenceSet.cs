using System.Runtime.InteropServices;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// A set of sequences as rising, disjoint ranges that never touch. Cheap while it is a few long stretches, which acknowledgements of two
/// lanes make. Not thread-safe.
/// </summary>
internal sealed class SequenceSet
{
    private readonly List<SequenceRange> _ranges = [];

    internal IReadOnlyList<SequenceRange> Ranges => _ranges;

    internal void Clear() => _ranges.Clear();

    /// <summary>Adds what is not in it yet. Ranges that are empty (last before first) add nothing.</summary>
    internal void Add(ulong first, ulong last)
    {
        if (last < first)
        {
            return;
        }

        // The ranges from index `at` up to but not including `end` touch the new one and melt into it.
        int at = IndexEndingAtOrAfter(first == 0 ? 0 : first - 1);
        int end = at;
        while (end < _ranges.Count && (last == ulong.MaxValue || _ranges[end].First <= last + 1))
        {
            first = Math.Min(first, _ranges[end].First);
            last = Math.Max(last, _ranges[end].Last);
            end++;
        }

        if (end == at)
        {
            _ranges.Insert(at, new SequenceRange(first, last));
            return;
        }

        _ranges[at] = new SequenceRange(first, last);
        _ranges.RemoveRange(at + 1, end - at - 1);
    }

    internal bool Contains(ulong sequence) => Covers(sequence, sequence);

    /// <summary>Whether every sequence from first through last is in it.</summary>
    internal bool Covers(ulong first, ulong last)
    {
        int at = IndexEndingAtOrAfter(first);
        return at < _ranges.Count && _ranges[at].First <= first && last <= _ranges[at].Last;
    }

    /// <summary>How many of the sequences from first through last are in it.</summary>
    internal ulong CountWithin(ulong first, ulong last)
    {
        ulong count = 0;
        for (int i = IndexEndingAtOrAfter(first); i < _ranges.Count && _ranges[i].First <= last; i++)
        {
            count += Math.Min(last, _ranges[i].Last) - Math.Max(first, _ranges[i].First) + 1;
        }

        return count;
    }

    /// <summary>The last of the sequences that follow each other without a hole from this one on; the one before it when it is not in the set.</summary>
    internal ulong LastContiguousFrom(ulong sequence)
    {
        int at = IndexEndingAtOrAfter(sequence);
        return at < _ranges.Count && _ranges[at].First <= sequence ? _ranges[at].Last : sequence - 1;
    }

    /// <summary>Forgets all sequences before this one.</summary>
    internal void RemoveBefore(ulong sequence)
    {
        int at = IndexEndingAtOrAfter(sequence);
        _ranges.RemoveRange(0, at);
        if (_ranges.Count > 0 && _ranges[0].First < sequence)
        {
            _ranges[0] = _ranges[0] with { First = sequence };
        }
    }

    private int IndexEndingAtOrAfter(ulong sequence)
    {
        ReadOnlySpan<SequenceRange> ranges = CollectionsMarshal.AsSpan(_ranges);
        int low = 0;
        for (int high = ranges.Length; low < high;)
        {
            int middle = (low + high) >>> 1;
            if (ranges[middle].Last < sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
