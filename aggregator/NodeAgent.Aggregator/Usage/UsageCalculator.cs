using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Usage;

/// <summary>
/// Adds up what GPUs were used for, out of stored series through the query engine, so it holds on raw samples, tiers and remote stores
/// alike. Three queries: mean utilisation by step (from the minute tier where there is one), growth of the energy counter over the whole
/// range, and mean power for GPUs that have no counter. By job all three go step by step, and each step falls to who held the GPU in it.
/// </summary>
internal sealed class UsageCalculator(QueryEngine engine, JobLedger? jobs = null)
{
    /// <summary>Rows by what placement says, where series do not say it themselves.</summary>
    internal const string JobLabel = "job";

    /// <summary>Steps that an engine's range may have, with room to spare.</summary>
    internal const int MaxSteps = 10_000;

    private const double JoulesPerKilowattHour = 3_600_000;
    private const double MsPerHour = 3_600_000;
    internal const string UuidLabel = "uuid";

    // Whole minutes and hours, so that tiers answer. An hour holds a year in 8,784 steps.
    private static readonly long[] StepsMs = [60_000, 300_000, 3_600_000];

    /// <exception cref="QueryException">The range is empty or too long, or a limit was reached.</exception>
    internal UsageReport Run(UsageQuestion question, string caller, CancellationToken cancellation)
    {
        long step = StepOf(question.ToUnixMs - question.FromUnixMs);
        long from = question.FromUnixMs / step * step;
        long to = question.ToUnixMs / step * step;
        if (from >= to || from < 0)
        {
            throw new QueryException(QueryErrorKind.InvalidArgument, $"a usage report needs at least one whole step of {step / 60_000} min between its start and its end");
        }

        Dictionary<(string Node, string Uuid, string Key), GpuUse> gpus = [];
        if (question.By == JobLabel && jobs is not null)
        {
            new UsageByJob(engine, gpus, question, jobs.Spans(from, to)).Add(from, to, step, caller, cancellation);
        }
        else
        {
            AddUtilization(gpus, question, from, to, step, caller, cancellation);
            AddEnergy(gpus, question.By, from, to, caller, cancellation);
            AddPower(gpus, question.By, from, to, caller, cancellation);
        }

        return Report(gpus, question, from, to, step);
    }

    private static long StepOf(long rangeMs)
    {
        foreach (long step in StepsMs)
        {
            if (rangeMs / step <= MaxSteps)
            {
                return step;
            }
        }

        throw new QueryException(QueryErrorKind.TooManySteps, $"a usage report covers at most {MaxSteps * StepsMs[^1] / 86_400_000} days");
    }

    private void AddUtilization(
        Dictionary<(string, string, string), GpuUse> gpus, UsageQuestion question, long from, long to, long step, string caller, CancellationToken cancellation)
    {
        QueryPlan plan = Plan(GpuMetrics.UtilizationRatio, WindowFunction.Avg, step);
        using RangeExecution execution = engine.Range(plan, from + step, to, step, caller, cancellation);
        foreach (RangeSeries series in execution)
        {
            GpuUse gpu = Find(gpus, series.Labels, question.By);
            foreach (double utilization in series.Values)
            {
                if (!double.IsNaN(utilization))
                {
                    gpu.AddStep(utilization, step, utilization < question.IdleBelowRatio);
                }
            }
        }
    }

    private void AddEnergy(Dictionary<(string, string, string), GpuUse> gpus, string by, long from, long to, string caller, CancellationToken cancellation)
    {
        QueryPlan plan = Plan(GpuMetrics.EnergyJoulesTotal, WindowFunction.Increase, to - from);
        foreach (QueryValue value in engine.Instant(plan, to, caller, cancellation).Results)
        {
            GpuUse gpu = Find(gpus, value.Labels, by);
            gpu.Joules += value.Value;
            gpu.Energy |= EnergySources.Counter;
        }
    }

    private void AddPower(Dictionary<(string, string, string), GpuUse> gpus, string by, long from, long to, string caller, CancellationToken cancellation)
    {
        // What the driver averaged over a second tells more than a moment.
        foreach (MetricDefinition metric in new[] { GpuMetrics.PowerAverageWatts, GpuMetrics.PowerWatts })
        {
            if (gpus.Values.All(gpu => gpu.Energy != EnergySources.None))
            {
                return;
            }

            foreach (QueryValue value in engine.Instant(Plan(metric, WindowFunction.Avg, to - from), to, caller, cancellation).Results)
            {
                GpuUse gpu = Find(gpus, value.Labels, by);
                if (gpu.Energy == EnergySources.None)
                {
                    gpu.Joules = value.Value * gpu.SeenMs / 1_000;
                    gpu.Energy = EnergySources.Power;
                }
            }
        }
    }

    internal static QueryPlan Plan(MetricDefinition metric, WindowFunction function, long windowMs) =>
        new(new Selector([new LabelMatcher(SeriesInfo.NameLabel, MatchOperator.Equal, metric.Name)])) { Function = function, WindowMs = windowMs };

    private static GpuUse Find(Dictionary<(string, string, string), GpuUse> gpus, IReadOnlyList<Label> labels, string by) =>
        Find(gpus, (Value(labels, SeriesInfo.NodeLabel), Value(labels, UuidLabel), Value(labels, by)));

    internal static GpuUse Find(Dictionary<(string, string, string), GpuUse> gpus, (string, string, string) place)
    {
        if (!gpus.TryGetValue(place, out GpuUse? gpu))
        {
            gpus.Add(place, gpu = new GpuUse());
        }

        return gpu;
    }

    internal static string Value(IReadOnlyList<Label> labels, string name) => labels.FirstOrDefault(label => label.Name == name).Value ?? "";

    private static UsageReport Report(Dictionary<(string Node, string Uuid, string Key), GpuUse> gpus, UsageQuestion question, long from, long to, long step)
    {
        List<UsageRow> rows = [];
        foreach (IGrouping<string, KeyValuePair<(string Node, string Uuid, string Key), GpuUse>> group in gpus.GroupBy(pair => pair.Key.Key, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            rows.Add(Row(group.Key, [.. group], question));
        }

        return new UsageReport(from, to, step, rows, Row("", [.. gpus], question));
    }

    private static UsageRow Row(string key, IReadOnlyList<KeyValuePair<(string Node, string Uuid, string Key), GpuUse>> gpus, UsageQuestion question)
    {
        double seenMs = gpus.Sum(gpu => gpu.Value.SeenMs);
        double idleHours = gpus.Sum(gpu => gpu.Value.IdleMs) / MsPerHour;
        return new UsageRow
        {
            Key = key,
            Gpus = gpus.Select(gpu => (gpu.Key.Node, gpu.Key.Uuid)).Distinct().Count(),
            GpuHours = seenMs / MsPerHour,
            MeanUtilizationRatio = seenMs > 0 ? gpus.Sum(gpu => gpu.Value.BusyMs) / seenMs : double.NaN,
            IdleHours = idleHours,
            IdleCost = idleHours * question.PricePerGpuHour,
            EnergyKilowattHours = gpus.Sum(gpu => gpu.Value.Joules) / JoulesPerKilowattHour,
            Energy = gpus.Aggregate(EnergySources.None, (sources, gpu) => sources | gpu.Value.Energy),
        };
    }
}
