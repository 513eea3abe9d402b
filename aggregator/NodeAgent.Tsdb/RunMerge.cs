using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb;

/// <summary>
/// Makes one ascending column of samples out of runs that were collected in the order in which they were written: each run ascends by
/// itself, and where runs overlap the later one wins. Runs that follow each other in time, the usual case, cost one comparison each.
/// </summary>
internal sealed class RunMerge : IDisposable
{
    private readonly List<int> _runs = [];
    private readonly SampleBuffer _merged = new();
    private readonly SampleBuffer _spare = new();
    private bool _overlap;

    /// <summary>Begins with another series.</summary>
    public void Clear()
    {
        _runs.Clear();
        _overlap = false;
    }

    /// <summary>What lies behind <paramref name="start"/> in the buffer is a run.</summary>
    public void Note(int start, SampleBuffer buffer)
    {
        if (buffer.Count > start)
        {
            _overlap |= _runs.Count > 0 && buffer.Times[start] <= buffer.Times[start - 1];
            _runs.Add(start);
        }
    }

    /// <summary>Merges the noted runs in place.</summary>
    public void Finish(SampleBuffer buffer)
    {
        if (!_overlap)
        {
            return;
        }

        int start = _runs[0];
        _merged.Clear();
        for (int i = 0; i < _runs.Count; i++)
        {
            Range run = _runs[i]..(i + 1 < _runs.Count ? _runs[i + 1] : buffer.Count);
            MergeRun(buffer.Times[run], buffer.Values[run]);
        }

        buffer.Truncate(start);
        buffer.Add(_merged.Times, _merged.Values);
    }

    public void Dispose()
    {
        _merged.Dispose();
        _spare.Dispose();
    }

    private void MergeRun(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        // What lies before the run stays where it is; only the overlapping tail is merged again.
        int keep = TimeSearch.FirstAtOrAfter(_merged.Times, times[0]);
        _spare.Clear();
        _spare.Add(_merged.Times[keep..], _merged.Values[keep..]);
        _merged.Truncate(keep);
        ReadOnlySpan<long> oldTimes = _spare.Times;
        ReadOnlySpan<double> oldValues = _spare.Values;
        int old = 0;
        for (int i = 0; i < times.Length; i++)
        {
            for (; old < oldTimes.Length && oldTimes[old] < times[i]; old++)
            {
                _merged.Add(oldTimes[old], oldValues[old]);
            }

            if (old < oldTimes.Length && oldTimes[old] == times[i])
            {
                old++;
            }

            _merged.Add(times[i], values[i]);
        }

        _merged.Add(oldTimes[old..], oldValues[old..]);
    }
}
