using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// Reads series out of segments and heads. The head is looked at first and the segments after it: a block that moves from one to the
/// other meanwhile is seen twice, which merging undoes, never not at all. One thread.
/// </summary>
internal sealed class StoreReader(SegmentStore store) : ISampleReader
{
    private readonly List<SchemaSnapshot> _snapshots = [];
    private readonly RunMerge _runs = new();
    private SegmentSet? _set;
    private SegmentCursor?[] _cursors = [];

    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        MemorySeries stored = (MemorySeries)series;
        MemorySeries.Column[] columns = stored.Columns;
        SnapshotHeads(columns, fromUnixMs, toUnixMs);
        Refresh();
        _runs.Clear();
        ReadSegments(stored, fromUnixMs, toUnixMs, buffer);
        for (int i = 0; i < columns.Length; i++)
        {
            SchemaSnapshot snapshot = _snapshots[i];
            AddBlocks(snapshot.MainBlocks, columns[i].Index, fromUnixMs, toUnixMs, buffer);
            AddHead(snapshot.MainHead, buffer);
            AddBlocks(snapshot.LateBlocks, columns[i].Index, fromUnixMs, toUnixMs, buffer);
            AddHead(snapshot.LateHead, buffer);
        }

        _runs.Finish(buffer);
    }

    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value)
    {
        // Nearly always within staleness; only a series that went silent makes the next looks go further back, each ten times as far.
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
        _set?.Release();
        _set = null;
    }

    private void ReadSegments(MemorySeries series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        SegmentFile[] files = _set!.Raw;
        for (int i = 0; i < files.Length; i++)
        {
            SegmentInfo info = files[i].Info;
            if (info.LastUnixMs >= fromUnixMs && info.FirstUnixMs <= toUnixMs)
            {
                SegmentCursor cursor = _cursors[i] ??= new SegmentCursor(files[i], store.Reads);
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

        _set?.Release();
        _set = set;
        _cursors = cursors;
    }

    private void AddBlocks(Block[] blocks, int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        foreach (Block block in blocks)
        {
            if (block.LastUnixMs >= fromUnixMs && block.FirstUnixMs <= toUnixMs)
            {
                int start = buffer.Count;
                block.Read(column, fromUnixMs, toUnixMs, buffer);
                _runs.Note(start, buffer);
            }
        }
    }

    private void AddHead(SampleBuffer head, SampleBuffer buffer)
    {
        int start = buffer.Count;
        buffer.Add(head.Times, head.Values);
        _runs.Note(start, buffer);
    }
}
