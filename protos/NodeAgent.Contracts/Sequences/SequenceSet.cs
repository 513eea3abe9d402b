namespace NodeAgent.Contracts.Sequences;

/// <summary>
/// Sequences as rising, disjoint, never adjacent ranges: what an agent need not send any more, and what an aggregator has. Cheap while it is a few
/// long stretches: one while an agent is connected, one more for each outage whose backlog is still under way. Not thread-safe.
/// </summary>
/// <param name="maxRanges">
/// Beyond this many ranges the lowest but one is forgotten (<see cref="ForgottenRanges"/>); the first is what everything before was merged into.
/// </param>
public sealed class SequenceSet(int maxRanges = int.MaxValue)
{
    private SequenceSpan[] _ranges = new SequenceSpan[4];
    private int _count;

    /// <summary>Rising, disjoint, with holes between. Valid until the next change.</summary>
    public ReadOnlySpan<SequenceSpan> Ranges => _ranges.AsSpan(0, _count);

    /// <summary>All sequences from 1 up to this one are in the set; 0: 1 is not.</summary>
    public ulong Prefix => _count > 0 && _ranges[0].First <= 1 ? _ranges[0].Last : 0;

    /// <summary>Ranges given up for want of room.</summary>
    public long ForgottenRanges { get; private set; }

    /// <summary>Adds what is not in it yet. A range that is empty (last before first) adds nothing.</summary>
    public void Add(ulong first, ulong last)
    {
        if (first > last)
        {
            return;
        }

        // The next one, or one that came before: nearly always, and nothing moves.
        if (_count > 0 && first >= _ranges[_count - 1].First && first - 1 <= _ranges[_count - 1].Last)
        {
            if (last > _ranges[_count - 1].Last)
            {
                _ranges[_count - 1] = _ranges[_count - 1] with { Last = last };
            }

            return;
        }

        Merge(first, last);
        if (_count > maxRanges)
        {
            RemoveAt(1, 1);
            ForgottenRanges++;
        }
    }

    public bool Contains(ulong sequence) => Covers(sequence, sequence);

    /// <summary>Whether every sequence from first through last is in it.</summary>
    public bool Covers(ulong first, ulong last)
    {
        int at = IndexEndingAtOrAfter(first);
        return at < _count && _ranges[at].First <= first && last <= _ranges[at].Last;
    }

    /// <summary>How many of the sequences from first through last are in it.</summary>
    public ulong CountWithin(ulong first, ulong last)
    {
        ulong count = 0;
        for (int i = IndexEndingAtOrAfter(first); i < _count && _ranges[i].First <= last; i++)
        {
            count += Math.Min(last, _ranges[i].Last) - Math.Max(first, _ranges[i].First) + 1;
        }

        return count;
    }

    /// <summary>The last of the sequences that follow each other without a hole from this one on; the one before it when it is not in the set.</summary>
    public ulong LastContiguousFrom(ulong sequence)
    {
        int at = IndexEndingAtOrAfter(sequence);
        return at < _count && _ranges[at].First <= sequence ? _ranges[at].Last : sequence - 1;
    }

    /// <summary>The first sequence from this one on that is in the set; null: there is none.</summary>
    public ulong? FirstFrom(ulong sequence)
    {
        int at = IndexEndingAtOrAfter(sequence);
        return at < _count ? Math.Max(sequence, _ranges[at].First) : null;
    }

    /// <summary>Forgets all sequences before this one.</summary>
    public void RemoveBefore(ulong sequence)
    {
        RemoveAt(0, IndexEndingAtOrAfter(sequence));
        if (_count > 0 && _ranges[0].First < sequence)
        {
            _ranges[0] = _ranges[0] with { First = sequence };
        }
    }

    private void Merge(ulong first, ulong last)
    {
        // From the first range that ends at or touches the new one, to the last that begins in or touches it.
        int start = IndexEndingAtOrAfter(first == 0 ? 0 : first - 1);
        int end = start;
        while (end < _count && (last == ulong.MaxValue || _ranges[end].First <= last + 1))
        {
            first = Math.Min(first, _ranges[end].First);
            last = Math.Max(last, _ranges[end].Last);
            end++;
        }

        if (end == start)
        {
            if (_count == _ranges.Length)
            {
                Array.Resize(ref _ranges, _count * 2);
            }

            Array.Copy(_ranges, start, _ranges, start + 1, _count - start);
            _count++;
        }
        else
        {
            RemoveAt(start + 1, end - start - 1);
        }

        _ranges[start] = new SequenceSpan(first, last);
    }

    private void RemoveAt(int at, int count)
    {
        Array.Copy(_ranges, at + count, _ranges, at, _count - at - count);
        _count -= count;
    }

    private int IndexEndingAtOrAfter(ulong sequence)
    {
        int low = 0;
        for (int high = _count; low < high;)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _ranges[middle].Last < sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
