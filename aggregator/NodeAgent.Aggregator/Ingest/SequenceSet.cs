namespace NodeAgent.Aggregator.Ingest;

/// <summary>Sequences from first through last, both included.</summary>
internal readonly record struct SequenceSpan(ulong First, ulong Last);

/// <summary>
/// Sequences as rising, disjoint, never adjacent ranges: the duplicate filter of one (agent, spool epoch). One range while an agent is
/// connected, one more for each outage whose backlog is still coming. Not thread-safe.
/// </summary>
internal sealed class SequenceSet
{
    /// <summary>
    /// An agent whose link flaps for hours before it can hand over any backlog comes to hundreds. Beyond this bound the lowest range but
    /// one is forgotten: its records would be taken a second time, where the store lays them over the first.
    /// </summary>
    internal const int MaxRanges = 16_384;

    private SequenceSpan[] _ranges = new SequenceSpan[4];
    private int _count;

    /// <summary>Rising, disjoint, with holes between.</summary>
    internal ReadOnlySpan<SequenceSpan> Ranges => _ranges.AsSpan(0, _count);

    /// <summary>All sequences from 1 up to this one are in the set; 0: 1 is not.</summary>
    internal ulong Prefix => _count > 0 && _ranges[0].First <= 1 ? _ranges[0].Last : 0;

    /// <summary>Ranges given up because of <see cref="MaxRanges"/>.</summary>
    internal long ForgottenRanges { get; private set; }

    /// <summary>Whether all of them are in the set.</summary>
    internal bool Contains(ulong first, ulong last)
    {
        int at = FirstEndingAtOrAfter(first);
        return at < _count && _ranges[at].First <= first && last <= _ranges[at].Last;
    }

    internal void Add(ulong first, ulong last)
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
        if (_count > MaxRanges)
        {
            RemoveAt(1, 1);
            ForgottenRanges++;
        }
    }

    private void Merge(ulong first, ulong last)
    {
        // From the first range that ends at or touches the new one, to the last that begins in or touches it.
        int start = FirstEndingAtOrAfter(first == 0 ? 0 : first - 1);
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

    private int FirstEndingAtOrAfter(ulong sequence)
    {
        int low = 0;
        int high = _count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].Last < sequence)
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
