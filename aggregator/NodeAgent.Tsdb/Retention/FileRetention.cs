using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Storage;

namespace NodeAgent.Tsdb.Retention;

/// <summary>
/// Drops whole segments: those older than their kind is kept, and, when files take too much or the disk has too little left, the oldest
/// raw ones, then minutes, then hours. What is dropped is counted. One thread.
/// </summary>
internal sealed class FileRetention(SegmentStore store, DurableStoreOptions options)
{
    private const long FreeCheckMs = 60_000;

    private long _freeCheckedUnixMs;

    /// <summary>
    /// Raw samples up to this time were dropped for want of room; later rows for that time are refused, since they would come back alone.
    /// </summary>
    public long DroppedThroughUnixMs { get; private set; } = long.MinValue;

    public void Enforce(long nowUnixMs)
    {
        SegmentSet set = store.Current;
        List<SegmentInfo> expired = [.. set.All.Select(file => file.Info).Where(info => info.WindowEndUnixMs < nowUnixMs - KeepMs(info.Kind))];
        if (expired.Count > 0 && Drop(expired))
        {
            store.Counters.AddExpired(RawSamples(expired));
        }

        long excess = store.DiskBytes() - options.MaxDiskBytes;
        if (options.FreeBytes is { } free && nowUnixMs - _freeCheckedUnixMs >= FreeCheckMs)
        {
            _freeCheckedUnixMs = nowUnixMs;
            excess = Math.Max(excess, options.MinFreeBytes - free());
        }

        if (excess > 0)
        {
            MakeRoom(excess);
        }
    }

    private void MakeRoom(long bytes)
    {
        List<SegmentInfo> dropped = [];
        long freed = 0;
        foreach (SegmentInfo info in store.Current.All.Select(file => file.Info).OrderBy(info => info.Kind).ThenBy(info => info.WindowEndUnixMs))
        {
            if (freed >= bytes)
            {
                break;
            }

            freed += info.Length;
            dropped.Add(info);
        }

        if (dropped.Count > 0 && Drop(dropped))
        {
            store.Counters.AddDroppedForRoom(RawSamples(dropped));
            DroppedThroughUnixMs = Math.Max(
                DroppedThroughUnixMs, dropped.Where(info => info.Kind == SegmentKind.Raw).Select(info => info.WindowEndUnixMs).DefaultIfEmpty(long.MinValue).Max());
        }
    }

    private long KeepMs(SegmentKind kind) => kind switch
    {
        SegmentKind.Raw => options.RawRetentionMs,
        SegmentKind.Minute => options.MinuteRetentionMs,
        _ => options.HourRetentionMs,
    };

    private bool Drop(List<SegmentInfo> infos) =>
        store.Publish(new Publication { Removed = [.. infos.Select(info => info.Number)] }) == PublicationResult.Done;

    private static long RawSamples(List<SegmentInfo> infos) => infos.Where(info => info.Kind == SegmentKind.Raw).Sum(info => info.Samples);
}
