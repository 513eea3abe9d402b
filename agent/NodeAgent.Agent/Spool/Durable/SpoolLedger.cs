using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// What became of every sequence: those that need no sending any more, and how many were dropped, thinned and lost. Thread-safe; no
/// sequence is ever counted as dropped twice, because dropping settles it.
/// </summary>
internal sealed class SpoolLedger
{
    private readonly Lock _lock = new();
    private readonly SequenceSet _settled = new();
    private SpoolCounts _counts;
    private long _version;

    internal SpoolCounts Counts
    {
        get
        {
            lock (_lock)
            {
                return _counts;
            }
        }
    }

    /// <summary>Changes with every change.</summary>
    internal long Version
    {
        get
        {
            lock (_lock)
            {
                return _version;
            }
        }
    }

    /// <summary>Takes over what an earlier life left.</summary>
    internal void Restore(SpoolCounts counts, IEnumerable<SequenceSpan> settled)
    {
        lock (_lock)
        {
            _counts = counts;
            foreach (SequenceSpan range in settled)
            {
                _settled.Add(range.First, range.Last);
            }
        }
    }

    /// <summary>These sequences need no sending: they are stored elsewhere, or never were.</summary>
    internal void Settle(ulong first, ulong last)
    {
        lock (_lock)
        {
            _settled.Add(first, last);
            _version++;
        }
    }

    internal bool IsSettled(ulong sequence)
    {
        lock (_lock)
        {
            return _settled.Contains(sequence);
        }
    }

    internal bool IsSettled(ulong first, ulong last)
    {
        lock (_lock)
        {
            return _settled.Covers(first, last);
        }
    }

    /// <summary>The last of the settled sequences that follow each other from this one on, or the one before it.</summary>
    internal ulong SettledThrough(ulong sequence)
    {
        lock (_lock)
        {
            return _settled.LastContiguousFrom(sequence);
        }
    }

    /// <summary>How many of the sequences are not settled.</summary>
    internal ulong CountUnsettled(ulong first, ulong last)
    {
        lock (_lock)
        {
            return last < first ? 0 : last - first + 1 - _settled.CountWithin(first, last);
        }
    }

    /// <summary>Counts those of the sequences as dropped that were not settled, and settles them.</summary>
    /// <returns>How many.</returns>
    internal ulong Drop(ulong first, ulong last, ulong samples, bool isLost = false)
    {
        lock (_lock)
        {
            ulong count = last - first + 1 - _settled.CountWithin(first, last);
            if (count > 0)
            {
                _counts = _counts with
                {
                    DroppedRecords = _counts.DroppedRecords + count,
                    DroppedSamples = _counts.DroppedSamples + samples,
                    LostRecords = _counts.LostRecords + (isLost ? count : 0),
                };
            }

            _settled.Add(first, last);
            _version++;
            return count;
        }
    }

    /// <summary>Takes over the counts of an epoch that ended: they go on.</summary>
    internal void Carry(SpoolCounts counts)
    {
        lock (_lock)
        {
            _counts = _counts.Plus(counts);
            _version++;
        }
    }

    /// <summary>Those of the sequences that are not settled, as ranges.</summary>
    internal List<SequenceSpan> Unsettled(ulong first, ulong last)
    {
        List<SequenceSpan> unsettled = [];
        lock (_lock)
        {
            while (first <= last)
            {
                ulong settled = _settled.FirstFrom(first) ?? ulong.MaxValue;
                if (settled > first)
                {
                    unsettled.Add(new SequenceSpan(first, Math.Min(last, settled - 1)));
                }

                if (settled > last)
                {
                    break;
                }

                first = _settled.LastContiguousFrom(settled) + 1;
            }
        }

        return unsettled;
    }

    internal void AddThinned(ulong records, ulong samples)
    {
        lock (_lock)
        {
            _counts = _counts with { ThinnedRecords = _counts.ThinnedRecords + records, ThinnedSamples = _counts.ThinnedSamples + samples };
            _version++;
        }
    }

    /// <summary>Nothing before this sequence is held any more.</summary>
    internal void Forget(ulong before)
    {
        lock (_lock)
        {
            _settled.RemoveBefore(before);
        }
    }

    internal SequenceSpan[] SettledFrom(ulong floor)
    {
        lock (_lock)
        {
            List<SequenceSpan> from = [];
            foreach (SequenceSpan range in _settled.Ranges)
            {
                if (range.Last >= floor)
                {
                    from.Add(range with { First = Math.Max(range.First, floor) });
                }
            }

            return [.. from];
        }
    }
}
