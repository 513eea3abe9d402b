using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Storage;

namespace NodeAgent.Tsdb.Merging;

/// <summary>
/// Decides what to merge next. A window of 2 h is merged when it is over, a day when it is over and has nothing but merged windows; what
/// arrives late is folded in when it has waited long enough or is much. One thread.
/// </summary>
internal sealed class MergePlanner(bool packClosedDays)
{
    public const long WindowMs = DurableStore.WindowMs;
    public const long DayMs = 24 * 3_600_000L;

    private const long WindowDelayMs = 10 * 60_000; // heads close and flush after the window's end
    private const long DayDelayMs = 60 * 60_000;
    private const long LateWaitMs = 30 * 60_000;
    private const long LateDayWaitMs = 2 * 3_600_000L; // a day is large: it is not rewritten for every straggler
    private const int ManyInWindow = 24; // files that a query over the open window has to look into
    private const int ManyLateInDay = 64;

    private readonly Dictionary<long, long> _firstSeen = []; // flushed segments, by number

    /// <summary>The most urgent merge; null: nothing is due.</summary>
    public MergeJob? Next(SegmentSet set, long nowUnixMs)
    {
        Note(set, nowUnixMs);
        foreach (IGrouping<long, SegmentInfo> day in set.Raw.Select(file => file.Info).GroupBy(info => Windows.StartOf(info.WindowEndUnixMs, DayMs)).OrderBy(day => day.Key))
        {
            MergeJob? job = day.Any(info => info.Level == SegmentLevel.Day) ? LateInDay(day, nowUnixMs) : InOpenDay(set, day, nowUnixMs);
            if (job is not null)
            {
                return job;
            }
        }

        return null;
    }

    private MergeJob? InOpenDay(SegmentSet set, IGrouping<long, SegmentInfo> day, long nowUnixMs)
    {
        foreach (IGrouping<long, SegmentInfo> window in day.GroupBy(info => info.WindowStartUnixMs).OrderBy(window => window.Key))
        {
            if (IsDue(set, window, nowUnixMs))
            {
                return new MergeJob(SegmentLevel.Window, window.Key, window.Key + WindowMs, Pack: false);
            }
        }

        bool isOver = nowUnixMs >= day.Key + DayMs + DayDelayMs;
        return isOver && day.All(info => info.Level == SegmentLevel.Window)
            ? new MergeJob(SegmentLevel.Day, day.Key, day.Key + DayMs, packClosedDays)
            : null;
    }

    private bool IsDue(SegmentSet set, IGrouping<long, SegmentInfo> window, long nowUnixMs)
    {
        SegmentInfo[] flushed = [.. window.Where(info => info.Level == SegmentLevel.Flushed)];
        bool isMerged = flushed.Length < window.Count();
        if (flushed.Length == 0 || (!isMerged && HasTier(set, window.Key)))
        {
            // Without the raw samples that its tiers were made from, a merge would replace the tiers by what came late.
            return false;
        }

        bool isOver = nowUnixMs >= window.Key + WindowMs + WindowDelayMs;
        return flushed.Length >= ManyInWindow || (isOver && (!isMerged || flushed.Min(info => _firstSeen[info.Number]) + LateWaitMs <= nowUnixMs));
    }

    private MergeJob? LateInDay(IGrouping<long, SegmentInfo> day, long nowUnixMs)
    {
        SegmentInfo[] late = [.. day.Where(info => info.Level != SegmentLevel.Day)];
        bool isDue = late.Length >= ManyLateInDay || (late.Length > 0 && late.Min(FirstSeen) + LateDayWaitMs <= nowUnixMs);
        return isDue ? new MergeJob(SegmentLevel.Day, day.Key, day.Key + DayMs, packClosedDays) : null;
    }

    private long FirstSeen(SegmentInfo info) => _firstSeen.GetValueOrDefault(info.Number, long.MinValue);

    private static bool HasTier(SegmentSet set, long windowStart) =>
        set.Minute.Any(file => file.Info.WindowStartUnixMs <= windowStart && file.Info.WindowEndUnixMs > windowStart);

    private void Note(SegmentSet set, long nowUnixMs)
    {
        HashSet<long> present = [];
        foreach (SegmentFile file in set.Raw)
        {
            if (file.Info.Level == SegmentLevel.Flushed)
            {
                present.Add(file.Info.Number);
                _firstSeen.TryAdd(file.Info.Number, nowUnixMs);
            }
        }

        foreach (long number in _firstSeen.Keys.Where(number => !present.Contains(number)).ToArray())
        {
            _firstSeen.Remove(number);
        }
    }
}
