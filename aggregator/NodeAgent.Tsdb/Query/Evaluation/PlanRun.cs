using System.Runtime.InteropServices;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Index;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>One result: identity and values by step.</summary>
/// <param name="Metric">Empty where the name is dropped.</param>
/// <param name="Labels">Sorted by name.</param>
/// <param name="Unit">Of the values.</param>
/// <param name="Values">By step; at least one is not NaN.</param>
/// <param name="NewestUnixMs">Newest sample of the last step that has a value.</param>
internal sealed record ResultRow(string Metric, IReadOnlyList<Label> Labels, string Unit, double[] Values, long NewestUnixMs);

/// <summary>
/// One execution of a plan over a grid of moments; an instant query is a grid of one. Decodes every chunk once. Results come sorted
/// by metric and labels; series by series without an aggregation, else group by group at the end.
/// </summary>
internal sealed class PlanRun(ISeriesReader store, QueryPlan plan, StepGrid grid, QueryBudget budget)
{
    private const int SeriesBetweenChecks = 64;

    // The name is dropped where the values no longer are that metric, as in Prometheus; but where the selector matches several
    // metrics, it is what tells their results apart.
    private readonly bool _keepsName = plan.Function == WindowFunction.Last || plan.Selector.Metric is null;

    public IEnumerable<ResultRow> Rows()
    {
        IEnumerable<ResultRow> rows = plan.Aggregation == Aggregation.None ? SeriesRows() : GroupRows();
        return plan.Ranking == Ranking.All ? rows : Ranked(rows);
    }

    private SeriesInfo[] Match()
    {
        // The longest window of any series is not known before they are; staleness of an unknown interval is the longest default.
        long window = Math.Max(plan.WindowMs, Math.Max(grid.StepMs, SeriesInfo.UnknownIntervalStaleMs));
        SeriesInfo[] series = store.Match(plan.Selector, grid.StartUnixMs - window, grid.EndUnixMs);
        budget.TakeSeries(series.Length);
        budget.Check();
        return series;
    }

    private IEnumerable<ResultRow> SeriesRows()
    {
        using WindowEvaluator evaluator = new(plan, grid, budget);
        using ISampleReader reader = store.OpenReader(budget);
        SeriesInfo[] matching = Match();
        Array.Sort(matching, SeriesInfo.Order);
        foreach (SeriesInfo series in matching)
        {
            if (evaluator.Evaluate(reader, series))
            {
                yield return new ResultRow(
                    _keepsName ? series.Metric : "",
                    series.Labels,
                    ResultUnits.Of(plan, series.Unit),
                    [.. evaluator.Values],
                    evaluator.NewestUnixMs);
            }
        }
    }

    private IEnumerable<ResultRow> GroupRows()
    {
        Dictionary<SeriesKey, Group> groups = Aggregate();
        List<KeyValuePair<SeriesKey, Group>> sorted = [.. groups];
        sorted.Sort((left, right) => Compare(left.Key.Metric, left.Key.Labels, right.Key.Metric, right.Key.Labels));
        foreach ((SeriesKey key, Group group) in sorted)
        {
            double[] values = group.Values.Finish();
            if (values.AsSpan().ContainsAnyExcept(double.NaN))
            {
                yield return new ResultRow(key.Metric, key.Labels, group.Unit, values, group.NewestUnixMs);
            }
        }
    }

    private Dictionary<SeriesKey, Group> Aggregate()
    {
        using WindowEvaluator evaluator = new(plan, grid, budget);
        using ISampleReader reader = store.OpenReader(budget);
        Grouping grouping = new(plan);
        Dictionary<SeriesKey, Group> groups = [];
        int sinceCheck = 0;
        foreach (SeriesInfo series in Match())
        {
            if (++sinceCheck == SeriesBetweenChecks)
            {
                budget.Check();
                sinceCheck = 0;
            }

            if (!evaluator.Evaluate(reader, series))
            {
                continue;
            }

            string unit = ResultUnits.Of(plan, series.Unit);
            ref Group? group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, grouping.KeyOf(series), out _);
            group ??= new Group(GroupValues.Create(plan, grid.Count, budget), unit);
            group.Add(evaluator.Values, unit, evaluator.NewestUnixMs);
        }

        return groups;
    }

    /// <summary>Keeps the k largest or smallest values of every step; among equal ones those whose labels sort first.</summary>
    private List<ResultRow> Ranked(IEnumerable<ResultRow> rows)
    {
        List<ResultRow> all = [];
        foreach (ResultRow row in rows)
        {
            budget.HoldValues(grid.Count);
            all.Add(row);
        }

        bool top = plan.Ranking == Ranking.Top;
        PriorityQueue<int, (double Value, int Index)> kept = new(RankOrder.WorstFirst(top));
        bool[] stays = new bool[all.Count];
        for (int step = 0; step < grid.Count; step++)
        {
            budget.Check();
            KeepBest(all, step, kept);
            Array.Clear(stays);
            while (kept.TryDequeue(out int index, out _))
            {
                stays[index] = true;
            }

            for (int i = 0; i < all.Count; i++)
            {
                if (!stays[i])
                {
                    all[i].Values[step] = double.NaN;
                }
            }
        }

        all.RemoveAll(row => !row.Values.AsSpan().ContainsAnyExcept(double.NaN));
        if (grid.Count == 1)
        {
            all.Sort((left, right) => RankOrder.Compare(left, right, top));
        }

        return all;
    }

    private void KeepBest(List<ResultRow> all, int step, PriorityQueue<int, (double Value, int Index)> kept)
    {
        for (int i = 0; i < all.Count; i++)
        {
            double value = all[i].Values[step];
            if (double.IsNaN(value))
            {
                continue;
            }

            if (kept.Count < plan.K)
            {
                kept.Enqueue(i, (value, i));
            }
            else
            {
                kept.EnqueueDequeue(i, (value, i));
            }
        }
    }

    private static int Compare(string leftMetric, Label[] left, string rightMetric, Label[] right)
    {
        int order = string.CompareOrdinal(leftMetric, rightMetric);
        return order != 0 ? order : LabelOrder.Compare(left, right);
    }

    private sealed class Group(GroupValues values, string unit)
    {
        public GroupValues Values { get; } = values;

        /// <summary>Empty as soon as two series differ.</summary>
        public string Unit { get; private set; } = unit;

        public long NewestUnixMs { get; private set; }

        public void Add(ReadOnlySpan<double> values, string unit, long newestUnixMs)
        {
            Values.Add(values);
            Unit = Unit == unit ? unit : "";
            NewestUnixMs = Math.Max(NewestUnixMs, newestUnixMs);
        }
    }
}
