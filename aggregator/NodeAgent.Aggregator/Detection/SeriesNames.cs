using NodeAgent.Contracts.Metrics;
using NodeAgent.Detection;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Detection;

/// <summary>From a finding's subject back to the stored series it was read from.</summary>
internal static class SeriesNames
{
    /// <summary>Null: the subject names no metric that is stored.</summary>
    internal static QueryPlan? PlanOf(Subject subject, long windowMs)
    {
        if (subject.Metric.Length == 0 || subject.Metric == RuleFamily.SilenceMetric)
        {
            return null;
        }

        int brace = subject.Metric.IndexOf('{', StringComparison.Ordinal);
        string metric = brace < 0 ? subject.Metric : subject.Metric[..brace];
        List<LabelMatcher> matchers = [Equal(SeriesInfo.NameLabel, metric), Equal(SeriesInfo.NodeLabel, subject.Node)];
        foreach (string pair in brace < 0 ? [] : subject.Metric[(brace + 1)..^1].Split(','))
        {
            string[] parts = pair.Split('=');
            matchers.Add(Equal(parts[0], parts[1]));
        }

        RuleFamily family = RuleFamily.All.First(family => metric.StartsWith(family.Prefix, StringComparison.Ordinal));
        if (subject.Device.Length > 0 && family.DeviceLabel.Length > 0)
        {
            matchers.Add(Equal(family.DeviceLabel, family.DeviceLabel == "gpu" ? subject.Device["gpu".Length..] : subject.Device));
        }

        return PlanOf(new Selector(matchers), metric, windowMs);
    }

    /// <summary>Mean of a gauge, rate of a counter: what the lanes looked at.</summary>
    internal static QueryPlan PlanOf(Selector selector, string metric, long windowMs) => new(selector)
    {
        Function = metric.EndsWith("_total", StringComparison.Ordinal) ? WindowFunction.Rate : WindowFunction.Avg,
        WindowMs = windowMs,
    };

    private static LabelMatcher Equal(string name, string value) => new(name, MatchOperator.Equal, value);
}
