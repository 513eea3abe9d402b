using NodeAgent.Contracts.Metrics;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Tiers;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// Answers from the coarsest tier that gives the same answer as the samples: every window must be made of whole buckets, and the function
/// must follow from what a bucket keeps. Where the samples are gone, a tier answers as well as it can: windows are widened to whole
/// buckets.
/// </summary>
internal sealed class TierEvaluator(QueryPlan plan, StepGrid grid)
{
    private readonly TierBuffer _rows = new();
    private long? _rawGoneThroughUnixMs;
    private long _minutesGoneThroughUnixMs;

    /// <summary>Returns false where the samples have to be read.</summary>
    public bool TryEvaluate(ITierReader reader, SeriesInfo series, long windowMs, Span<double> values, out long newestUnixMs, out bool any)
    {
        newestUnixMs = 0;
        any = false;
        if (!IsKept(series.Kind))
        {
            return false;
        }

        if (_rawGoneThroughUnixMs is null)
        {
            _rawGoneThroughUnixMs = reader.RawGoneThroughUnixMs;
            _minutesGoneThroughUnixMs = reader.MinutesGoneThroughUnixMs;
        }

        bool isGone = grid.StartUnixMs - windowMs < _rawGoneThroughUnixMs;
        long bucketMs =
            IsMadeOf(SegmentMerge.HourMs, windowMs) ? SegmentMerge.HourMs
            : IsMadeOf(SegmentMerge.MinuteMs, windowMs) ? SegmentMerge.MinuteMs
            : isGone ? SegmentMerge.MinuteMs
            : 0;
        if (bucketMs == 0)
        {
            return false;
        }

        if (isGone && grid.StartUnixMs - windowMs < _minutesGoneThroughUnixMs)
        {
            bucketMs = SegmentMerge.HourMs;
        }

        // For the newest sample of a window that is no whole number of buckets, the bucket at its end is enough, as it knows the time.
        long widened = (windowMs + bucketMs - 1) / bucketMs * bucketMs;
        long from = Floor(grid.StartUnixMs, bucketMs) - widened;
        _rows.Clear();
        bool isWhole = reader.ReadTier(series, from, Floor(grid.EndUnixMs, bucketMs), bucketMs, _rows);
        if (!isWhole && plan.Function == WindowFunction.Last && !isGone)
        {
            return false; // a NaN that ends a series is not in a tier
        }

        if (IsOfCounters && !isGone && HasGaugeRows())
        {
            return false; // the series was a gauge when the rows were made: they do not say how it rose
        }

        any = Walk(windowMs, widened, bucketMs, values, ref newestUnixMs);
        return true;
    }

    private bool IsKept(MetricKind kind) => plan.Function switch
    {
        WindowFunction.Last or WindowFunction.Avg or WindowFunction.Min or WindowFunction.Max or WindowFunction.Sum or WindowFunction.Count => true,
        WindowFunction.Rate or WindowFunction.Increase => kind == MetricKind.Counter,
        _ => false,
    };

    private bool IsOfCounters => plan.Function is WindowFunction.Rate or WindowFunction.Increase;

    private bool HasGaugeRows()
    {
        foreach (ref readonly TierRow row in _rows.Rows)
        {
            if (double.IsNaN(row.First))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsMadeOf(long bucketMs, long windowMs) =>
        grid.StartUnixMs % bucketMs == 0
        && (grid.Count == 1 || grid.StepMs % bucketMs == 0)
        && (plan.Function == WindowFunction.Last || windowMs % bucketMs == 0);

    private bool Walk(long windowMs, long widenedMs, long bucketMs, Span<double> values, ref long newestUnixMs)
    {
        ReadOnlySpan<TierRow> rows = _rows.Rows;
        bool any = false;
        int low = 0;
        int high = 0;
        for (int step = 0; step < values.Length; step++)
        {
            long at = grid.StartUnixMs + (step * grid.StepMs);
            long end = Floor(at, bucketMs);
            while (high < rows.Length && rows[high].EndUnixMs <= end)
            {
                high++;
            }

            while (low < high && rows[low].EndUnixMs <= end - widenedMs)
            {
                low++;
            }

            double value = low < high ? ValueOf(rows[low..high], at, windowMs) : double.NaN;
            values[step] = value;
            if (!double.IsNaN(value))
            {
                any = true;
                newestUnixMs = rows[high - 1].LastUnixMs;
            }
        }

        return any;
    }

    private double ValueOf(ReadOnlySpan<TierRow> rows, long at, long windowMs)
    {
        ref readonly TierRow newest = ref rows[^1];
        switch (plan.Function)
        {
            case WindowFunction.Last:
                // Staleness is shorter than a bucket; where nothing finer is left, a bucket counts as one sample.
                return newest.LastUnixMs > at - windowMs || newest.EndUnixMs <= _rawGoneThroughUnixMs ? newest.Last : double.NaN;
            case WindowFunction.Rate:
                return Increase(rows, at, windowMs) / (windowMs / 1000.0);
            case WindowFunction.Increase:
                return Increase(rows, at, windowMs);
            default:
                return Combine(rows);
        }
    }

    private double Combine(ReadOnlySpan<TierRow> rows)
    {
        double sum = 0;
        double low = double.PositiveInfinity;
        double high = double.NegativeInfinity;
        long count = 0;
        foreach (ref readonly TierRow row in rows)
        {
            sum += row.Sum;
            count += row.Count;
            low = Math.Min(low, row.Min);
            high = Math.Max(high, row.Max);
        }

        return plan.Function switch
        {
            WindowFunction.Avg => sum / count,
            WindowFunction.Min => low,
            WindowFunction.Max => high,
            WindowFunction.Sum => sum,
            _ => count,
        };
    }

    private static double Increase(ReadOnlySpan<TierRow> rows, long at, long windowMs)
    {
        double resets = 0;
        long count = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            if (double.IsNaN(rows[i].First))
            {
                return double.NaN; // made while the series was a gauge, and the samples are gone
            }

            resets += rows[i].Resets;
            resets += i > 0 && rows[i].First < rows[i - 1].Last ? rows[i - 1].Last : 0;
            count += rows[i].Count;
        }

        return CounterMath.Increase(
            count, rows[0].FirstUnixMs, rows[0].First, rows[^1].LastUnixMs, rows[^1].Last, resets, at - windowMs, at);
    }

    private static long Floor(long unixMs, long bucketMs) => unixMs - (((unixMs % bucketMs) + bucketMs) % bucketMs);
}
