using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// One tier's segments of a set, by time: those that say what the samples say. One that shares its window with raw rows from which it was
/// not made does not, until they are merged; it is left out. Owned by one reader.
/// </summary>
internal sealed class TierView : IDisposable
{
    private readonly SegmentFile[] _files;
    private readonly SegmentCursor?[] _cursors;
    private readonly ReadCounters _counters;

    public TierView(SegmentFile[] files, SegmentFile[] raw, ReadCounters counters)
    {
        _files = [.. files.Where(file => !raw.Any(other => IsBeside(file.Info, other.Info))).OrderBy(file => file.Info.WindowStartUnixMs)];
        _counters = counters;
        _cursors = new SegmentCursor?[_files.Length];
    }

    public int Count => _files.Length;

    public SegmentInfo this[int index] => _files[index].Info;

    public SegmentCursor CursorOf(int index) => _cursors[index] ??= new SegmentCursor(_files[index], _counters);

    /// <summary>The first segment whose window ends after a time.</summary>
    public int FirstEndingAfter(long unixMs)
    {
        int low = 0;
        int high = _files.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_files[middle].Info.WindowEndUnixMs <= unixMs)
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

    public void Dispose()
    {
        foreach (SegmentCursor? cursor in _cursors)
        {
            cursor?.Dispose();
        }
    }

    /// <summary>One merge gives its raw segment and its tiers the same sequence.</summary>
    private static bool IsBeside(SegmentInfo tier, SegmentInfo raw) =>
        raw.Sequence != tier.Sequence && raw.WindowStartUnixMs < tier.WindowEndUnixMs && raw.WindowEndUnixMs > tier.WindowStartUnixMs;
}
