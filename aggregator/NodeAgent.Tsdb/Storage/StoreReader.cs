using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Tiers;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// Reads series out of segments and heads. The head is looked at first and the segments after it: a block that moves from one to the
/// other meanwhile is seen twice, which merging undoes, never not at all. One thread.
/// </summary>
internal sealed class StoreReader(SegmentStore store, IScanMeter? meter = null) : ISampleReader, ITierReader
{
    private readonly List<SchemaSnapshot> _snapshots = [];
    private readonly RunMerge _runs = new();
    private SegmentSet? _set;
    private SegmentCursor?[] _cursors = [];
    private TierView? _minutes;
    private TierView? _hours;
    private readonly SampleBuffer _samples = new();

    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        MemorySeries stored = (MemorySeries)series;
        MemorySeries.Column[] columns = stored.Columns;
        SnapshotHeads(columns, fromUnixMs, toUnixMs);
        Refresh();
        ReadSnapshot(stored, columns, fromUnixMs, toUnixMs, buffer);
    }

    public long RawGoneThroughUnixMs
    {
        get
        {
            Refresh();
            return GoneThrough(_set!.Raw, _set.Hour);
        }
    }

    public long MinutesGoneThroughUnixMs
    {
        get
        {
            Refresh();
            return GoneThrough(_set!.Minute, _set.Hour);
        }
    }

    public bool ReadTier(SeriesInfo series, long fromUnixMs, long toUnixMs, long bucketMs, TierBuffer into)
    {
        MemorySeries stored = (MemorySeries)series;
        MemorySeries.Column[] columns = stored.Columns;
        SnapshotHeads(columns, fromUnixMs + 1, toUnixMs);
        Refresh();
        TierView tier = bucketMs == SegmentMerge.MinuteMs ? _minutes! : _hours!;
        bool isWhole = true;
        long at = fromUnixMs;
        for (int i = tier.FirstEndingAfter(fromUnixMs); i < tier.Count && at < toUnixMs && tier[i].WindowStartUnixMs < toUnixMs; i++)
        {
            long start = Math.Max(at, tier[i].WindowStartUnixMs);
            long end = Math.Min(toUnixMs, tier[i].WindowEndUnixMs);
            if (HeadsHave(columns.Length, start, end))
            {
                continue; // the samples themselves are read below, with those before and after
            }

            isWhole &= MakeRows(stored, columns, at, start, bucketMs, into);
            if (tier.CursorOf(i).TryFind(stored.MetricId, stored.Id, out ReadOnlySpan<byte> run, out TimeColumn? column))
            {
                meter?.Take(column!.RowsIn(start, end));
                isWhole &= !TierCodec.Decode(run, column!, start, end, into);
            }

            at = end;
        }

        return MakeRows(stored, columns, at, toUnixMs, bucketMs, into) && isWhole;
    }

    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value)
    {
        // Nearly always within staleness; only a series that went silent makes the next looks go further back, each ten times as far. They begin
        // where the newest sample can be: "at any time" is asked as the end of all times.
        long newest = ((MemorySeries)series).NewestUnixMs;
        toUnixMs = newest == long.MinValue ? toUnixMs : Math.Min(toUnixMs, newest);
        using SampleBuffer buffer = new();
        for (long backMs = series.StaleMs; buffer.Count == 0 && backMs < long.MaxValue / 20; backMs *= 10)
        {
            Read(series, toUnixMs >= long.MinValue + backMs ? toUnixMs - backMs : long.MinValue, toUnixMs, buffer);
        }

        bool found = buffer.Count > 0;
        unixMs = found ? buffer.Times[^1] : 0;
        value = found ? buffer.Values[^1] : 0;
        return found;
    }

    public void Dispose()
    {
        _snapshots.ForEach(snapshot => snapshot.Dispose());
        _runs.Dispose();
        foreach (SegmentCursor? cursor in _cursors)
        {
            cursor?.Dispose();
        }

        _cursors = [];
        _minutes?.Dispose();
        _hours?.Dispose();
        _samples.Dispose();
        _set?.Release();
        _set = null;
    }

    /// <summary>Rows for (from, to] out of samples.</summary>
    private bool MakeRows(MemorySeries series, MemorySeries.Column[] columns, long fromUnixMs, long toUnixMs, long bucketMs, TierBuffer into)
    {
        if (fromUnixMs >= toUnixMs)
        {
            return true;
        }

        _samples.Clear();
        ReadSnapshot(series, columns, fromUnixMs + 1, toUnixMs, _samples);
        return !TierBuilder.Build(_samples.Times, _samples.Values, bucketMs, 0, into);
    }

    /// <summary>Whether the heads, as they were when they were looked at, may hold a row in (from, to].</summary>
    private bool HeadsHave(int columns, long fromUnixMs, long toUnixMs)
    {
        for (int i = 0; i < columns; i++)
        {
            if (_snapshots[i].MayHave(fromUnixMs + 1, toUnixMs))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads a part of the range for which the heads were looked at, and the set of that moment.</summary>
    private void ReadSnapshot(MemorySeries series, MemorySeries.Column[] columns, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        _runs.Clear();
        ReadSegments(series, fromUnixMs, toUnixMs, buffer);
        for (int i = 0; i < columns.Length; i++)
        {
            SchemaSnapshot snapshot = _snapshots[i];
            AddBlocks(snapshot.MainBlocks, columns[i].Index, fromUnixMs, toUnixMs, buffer);
            AddHead(snapshot.MainHead, fromUnixMs, toUnixMs, buffer);
            AddBlocks(snapshot.LateBlocks, columns[i].Index, fromUnixMs, toUnixMs, buffer);
            AddHead(snapshot.LateHead, fromUnixMs, toUnixMs, buffer);
        }

        _runs.Finish(buffer);
    }

    private void ReadSegments(MemorySeries series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        SegmentFile[] files = _set!.Raw;
        for (int i = 0; i < files.Length; i++)
        {
            SegmentInfo info = files[i].Info;
            if (info.LastUnixMs >= fromUnixMs && info.FirstUnixMs <= toUnixMs)
            {
                SegmentCursor cursor = _cursors[i] ??= new SegmentCursor(files[i], store.Reads, meter);
                cursor.Read(series.MetricId, series.Id, fromUnixMs, toUnixMs, buffer, _runs);
            }
        }
    }

    private void SnapshotHeads(MemorySeries.Column[] columns, long fromUnixMs, long toUnixMs)
    {
        while (_snapshots.Count < columns.Length)
        {
            _snapshots.Add(new SchemaSnapshot());
        }

        for (int i = 0; i < columns.Length; i++)
        {
            columns[i].Schema.Snapshot(columns[i].Index, fromUnixMs, toUnixMs, _snapshots[i]);
        }
    }

    private void Refresh()
    {
        if (ReferenceEquals(_set, store.Current))
        {
            return;
        }

        SegmentSet set = store.Sets.Lease();
        Dictionary<SegmentFile, SegmentCursor> open = [];
        foreach (SegmentCursor? cursor in _cursors)
        {
            if (cursor is not null)
            {
                open.Add(cursor.File, cursor);
            }
        }

        SegmentCursor?[] cursors = new SegmentCursor?[set.Raw.Length];
        for (int i = 0; i < cursors.Length; i++)
        {
            cursors[i] = open.Remove(set.Raw[i], out SegmentCursor? cursor) ? cursor : null;
        }

        foreach (SegmentCursor gone in open.Values)
        {
            gone.Dispose();
        }

        _minutes?.Dispose();
        _hours?.Dispose();
        _minutes = new TierView(set.Minute, set.Raw, store.Reads);
        _hours = new TierView(set.Hour, set.Raw, store.Reads);
        _set?.Release();
        _set = set;
        _cursors = cursors;
    }

    private static long GoneThrough(SegmentFile[] fine, SegmentFile[] coarse)
    {
        long reachesTo = fine.Select(file => file.Info.WindowStartUnixMs).DefaultIfEmpty(long.MaxValue).Min();
        return coarse.Any(file => file.Info.WindowStartUnixMs < reachesTo) ? reachesTo : long.MinValue;
    }

    private void AddBlocks(Block[] blocks, int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        foreach (Block block in blocks)
        {
            if (block.LastUnixMs >= fromUnixMs && block.FirstUnixMs <= toUnixMs)
            {
                int start = buffer.Count;
                meter?.Take(block.Rows);
                block.Read(column, fromUnixMs, toUnixMs, buffer);
                _runs.Note(start, buffer);
            }
        }
    }

    private void AddHead(SampleBuffer head, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        int start = buffer.Count;
        Range wanted = TimeSearch.FirstAtOrAfter(head.Times, fromUnixMs)..TimeSearch.FirstAfter(head.Times, toUnixMs);
        meter?.Take(head.Times[wanted].Length);
        buffer.Add(head.Times[wanted], head.Values[wanted]);
        _runs.Note(start, buffer);
    }
}
