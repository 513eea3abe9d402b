using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// Reads series out of blocks and heads. Each block and head gives a run of ascending times; runs are collected in the order in
/// which they were written and merged only where they overlap, the later one winning where times are equal.
/// </summary>
internal sealed class MemorySampleReader : ISampleReader
{
    private readonly SchemaSnapshot _snapshot = new();
    private readonly List<int> _runs = [];
    private readonly SampleBuffer _merged = new();
    private readonly SampleBuffer _spare = new();
    private bool _overlap;

    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        int start = buffer.Count;
        _runs.Clear();
        _overlap = false;
        foreach (MemorySeries.Column column in ((MemorySeries)series).Columns)
        {
            column.Schema.Snapshot(column.Index, fromUnixMs, toUnixMs, _snapshot);
            AddBlocks(_snapshot.MainBlocks, column.Index, fromUnixMs, toUnixMs, buffer);
            AddHead(_snapshot.MainHead, buffer);
            AddBlocks(_snapshot.LateBlocks, column.Index, fromUnixMs, toUnixMs, buffer);
            AddHead(_snapshot.LateHead, buffer);
        }

        if (_overlap)
        {
            Merge(buffer, start);
        }
    }

    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value)
    {
        // Nearly always within staleness; only a series that went silent makes the second look at everything that is held.
        using SampleBuffer buffer = new();
        Read(series, toUnixMs - Math.Min(series.StaleMs, toUnixMs - long.MinValue), toUnixMs, buffer);
        if (buffer.Count == 0)
        {
            Read(series, long.MinValue, toUnixMs, buffer);
        }

        bool found = buffer.Count > 0;
        unixMs = found ? buffer.Times[^1] : 0;
        value = found ? buffer.Values[^1] : 0;
        return found;
    }

    public void Dispose()
    {
        _snapshot.Dispose();
        _merged.Dispose();
        _spare.Dispose();
    }

    private void AddBlocks(Block[] blocks, int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        foreach (Block block in blocks)
        {
            if (block.LastUnixMs >= fromUnixMs && block.FirstUnixMs <= toUnixMs)
            {
                int start = buffer.Count;
                block.Read(column, fromUnixMs, toUnixMs, buffer);
                NoteRun(start, buffer);
            }
        }
    }

    private void AddHead(SampleBuffer head, SampleBuffer buffer)
    {
        int start = buffer.Count;
        buffer.Add(head.Times, head.Values);
        NoteRun(start, buffer);
    }

    private void NoteRun(int start, SampleBuffer buffer)
    {
        if (buffer.Count > start)
        {
            _overlap |= _runs.Count > 0 && buffer.Times[start] <= buffer.Times[start - 1];
            _runs.Add(start);
        }
    }

    private void Merge(SampleBuffer buffer, int start)
    {
        _merged.Clear();
        for (int i = 0; i < _runs.Count; i++)
        {
            Range run = _runs[i]..(i + 1 < _runs.Count ? _runs[i + 1] : buffer.Count);
            MergeRun(buffer.Times[run], buffer.Values[run]);
        }

        buffer.Truncate(start);
        buffer.Add(_merged.Times, _merged.Values);
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
