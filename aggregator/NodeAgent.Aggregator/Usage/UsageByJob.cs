using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Usage;

/// <summary>
/// Usage by job: each step of a GPU falls to the jobs that held it, by how long in the step and how much of the GPU; what nobody held falls to the
/// row without a name. A step is known as a whole only, so within it use is taken to be even.
/// </summary>
internal sealed class UsageByJob(
    QueryEngine engine, Dictionary<(string Node, string Uuid, string Key), GpuUse> gpus, UsageQuestion question, ILookup<(string Node, string Uuid), JobSpan> spans)
{
    private readonly HashSet<(string Node, string Uuid)> _counted = []; // GPUs whose energy is known from a better source

    internal void Add(long from, long to, long step, string caller, CancellationToken cancellation)
    {
        Run(GpuMetrics.UtilizationRatio, WindowFunction.Avg, from, to, step, (use, ms, value) => use.AddStep(value, ms, value < question.IdleBelowRatio), caller, cancellation);
        AddEnergy(GpuMetrics.EnergyJoulesTotal, WindowFunction.Increase, EnergySources.Counter, (ms, value) => value * ms / step);
        AddEnergy(GpuMetrics.PowerAverageWatts, WindowFunction.Avg, EnergySources.Power, (ms, value) => value * ms / 1_000);
        AddEnergy(GpuMetrics.PowerWatts, WindowFunction.Avg, EnergySources.Power, (ms, value) => value * ms / 1_000);

        void AddEnergy(MetricDefinition metric, WindowFunction function, EnergySources source, Func<double, double, double> joules)
        {
            HashSet<(string, string)> found = Run(metric, function, from, to, step, (use, ms, value) =>
            {
                use.Joules += joules(ms, value);
                use.Energy |= source;
            }, caller, cancellation);
            _counted.UnionWith(found);
        }
    }

    /// <summary>Runs a query over the steps and gives each step's value to who had the GPU; returns the GPUs that have the metric.</summary>
    private HashSet<(string, string)> Run(
        MetricDefinition metric, WindowFunction function, long from, long to, long step, Action<GpuUse, double, double> add, string caller, CancellationToken cancellation)
    {
        HashSet<(string, string)> found = [];
        using RangeExecution execution = engine.Range(UsageCalculator.Plan(metric, function, step), from + step, to, step, caller, cancellation);
        foreach (RangeSeries series in execution)
        {
            (string Node, string Uuid) gpu = (UsageCalculator.Value(series.Labels, SeriesInfo.NodeLabel), UsageCalculator.Value(series.Labels, UsageCalculator.UuidLabel));
            if (_counted.Contains(gpu))
            {
                continue;
            }

            string named = UsageCalculator.Value(series.Labels, UsageCalculator.JobLabel);
            long end = from;
            foreach (double value in series.Values)
            {
                end += step;
                if (!double.IsNaN(value))
                {
                    found.Add(gpu);
                    Share(gpu, named, end - step, end, (use, ms) => add(use, ms, value));
                }
            }
        }

        return found;
    }

    private void Share((string Node, string Uuid) gpu, string named, long from, long to, Action<GpuUse, double> add)
    {
        JobSpan[] holders = named.Length > 0 ? [] : [.. spans[gpu].Where(span => span.PartOf(from, to) > 0)];
        double taken = holders.Sum(span => span.PartOf(from, to));
        double scale = (to - from) / Math.Max(1, taken); // slices of a partitioned GPU are not known as shares of it
        foreach (JobSpan span in holders)
        {
            add(UsageCalculator.Find(gpus, (gpu.Node, gpu.Uuid, span.Job)), span.PartOf(from, to) * scale);
        }

        if (taken < 1)
        {
            add(UsageCalculator.Find(gpus, (gpu.Node, gpu.Uuid, named)), (1 - taken) * (to - from));
        }
    }
}
