using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Tiers;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// Evaluates a plan's window function for one series after another: every step's window is (t - window, t], found by two cursors
/// that only move forward. Holds scratch; one per query.
/// </summary>
internal sealed class WindowEvaluator(QueryPlan plan, StepGrid grid, QueryBudget budget) : IDisposable
{
    private const int StepsBetweenChecks = 64;

    private readonly TierEvaluator _tiers = new(plan, grid);
    private readonly SampleBuffer _samples = new();
    private readonly List<int> _resets = []; // index of each value below its predecessor
    private readonly (int Low, int High)[] _bounds = new (int, int)[grid.Count]; // of each step, for the times at hand
    private long _boundsWindowMs = -1;
    private double[] _sorted = [];

    /// <summary>Values by step, NaN where there is none. Overwritten by the next call.</summary>
    public double[] Values { get; } = new double[grid.Count];

    /// <summary>Time of the newest sample in the last step's window that has any; 0: none.</summary>
    public long NewestUnixMs { get; private set; }

    /// <summary>Length of the window of a series.</summary>
    public long WindowMs(SeriesInfo series)
    {
        if (plan.WindowMs > 0)
        {
            return plan.WindowMs;
        }

        return plan.Function == WindowFunction.Last ? series.StaleMs : grid.DefaultWindowMs;
    }

    /// <summary>Returns whether any step has a value.</summary>
    public bool Evaluate(ISampleReader reader, SeriesInfo series)
    {
        long windowMs = WindowMs(series);
        budget.BeginSeries();
        if (reader is ITierReader tiers && _tiers.TryEvaluate(tiers, series, windowMs, Values, out long newestUnixMs, out bool anyValue))
        {
            NewestUnixMs = newestUnixMs;
            return anyValue;
        }

        _samples.Clear();
        reader.Read(series, grid.StartUnixMs - windowMs + 1, grid.EndUnixMs, _samples);
        NewestUnixMs = 0;
        if (_samples.Count == 0)
        {
            return false;
        }

        // A NaN sample says that there was no number. It ends what came before it for "last"; windows are computed without it.
        if (plan.Function != WindowFunction.Last && Spans.ContainsNaN(_samples.Values))
        {
            RemoveNaN();
        }

        if (plan.Function is WindowFunction.Rate or WindowFunction.Increase)
        {
            FindResets();
        }

        return WalkSteps(windowMs);
    }

    public void Dispose() => _samples.Dispose();

    private bool WalkSteps(long windowMs)
    {
        if (!_samples.HasTimesAsBefore || windowMs != _boundsWindowMs)
        {
            FindBounds(windowMs);
        }

        bool any = false;
        for (int step = 0; step < Values.Length; step++)
        {
            if (step % StepsBetweenChecks == 0)
            {
                budget.Check();
            }

            (int low, int high) = _bounds[step];
            double value = low < high ? ValueOf(low, high, grid.StartUnixMs + (step * grid.StepMs), windowMs) : double.NaN;
            Values[step] = value;
            if (!double.IsNaN(value))
            {
                any = true;
                NewestUnixMs = _samples.Times[high - 1];
            }
        }

        return any;
    }

    /// <summary>Where the window of each step begins and ends among the samples.</summary>
    private void FindBounds(long windowMs)
    {
        ReadOnlySpan<long> times = _samples.Times;
        int low = 0;
        int high = 0;
        for (int step = 0; step < _bounds.Length; step++)
        {
            long at = grid.StartUnixMs + (step * grid.StepMs);
            // Samples mostly come evenly, so a window mostly ends where the one before leads to expect, and begins where that one ended.
            int guess = high + (high - low);
            bool isGuessed = step > 0 && guess < times.Length && guess > 0 && times[guess - 1] <= at && times[guess] > at;
            int previousHigh = high;
            high = isGuessed ? guess : TimeSearch.SkipThrough(times, high, at);
            low = step > 0 && windowMs == grid.StepMs ? previousHigh : TimeSearch.SkipThrough(times, low, at - windowMs);
            _bounds[step] = (low, high);
        }

        _boundsWindowMs = windowMs;
    }

    private double ValueOf(int low, int high, long at, long windowMs)
    {
        ReadOnlySpan<double> window = _samples.Values[low..high];
        return plan.Function switch
        {
            WindowFunction.Last => window[^1],
            WindowFunction.Avg => Spans.Mean(window),
            WindowFunction.Min => Spans.Min(window),
            WindowFunction.Max => Spans.Max(window),
            WindowFunction.Sum => Spans.Sum(window),
            WindowFunction.Count => window.Length,
            WindowFunction.Quantile => Quantile(window),
            WindowFunction.Delta => window.Length < 2 ? double.NaN : window[^1] - window[0],
            WindowFunction.Increase => Increase(low, high, at, windowMs),
            WindowFunction.Rate => Increase(low, high, at, windowMs) / (windowMs / 1000.0),
            _ => throw new InvalidOperationException($"BUG: window function {plan.Function} passed the plan's check."),
        };
    }

    private double Increase(int low, int high, long at, long windowMs)
    {
        double resets = 0;
        int next = _resets.BinarySearch(low + 1);
        for (int i = next < 0 ? ~next : next; i < _resets.Count && _resets[i] < high; i++)
        {
            resets += _samples.Values[_resets[i] - 1];
        }

        return CounterMath.Increase(_samples.Times[low..high], _samples.Values[low..high], resets, at - windowMs, at);
    }

    private double Quantile(ReadOnlySpan<double> window)
    {
        if (_sorted.Length < window.Length)
        {
            _sorted = new double[Math.Max(window.Length, _sorted.Length * 2)];
        }

        // Sorting is the one function whose cost can dwarf the samples read: long windows, short steps.
        budget.Check();
        window.CopyTo(_sorted);
        return Spans.Quantile(plan.WindowQuantile, _sorted.AsSpan(0, window.Length));
    }

    private void FindResets()
    {
        _resets.Clear();
        ReadOnlySpan<double> values = _samples.Values;
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] < values[i - 1])
            {
                _resets.Add(i);
            }
        }
    }

    private void RemoveNaN()
    {
        Span<long> times = _samples.WritableTimes;
        Span<double> values = _samples.WritableValues;
        int kept = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(values[i]))
            {
                times[kept] = times[i];
                values[kept++] = values[i];
            }
        }

        _samples.Truncate(kept);
    }
}
