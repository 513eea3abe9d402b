using NodeAgent.Contracts.Metrics;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Prometheus;

/// <summary>
/// The newest values of the fleet, each with the time it was measured at. A series that has been silent for longer than its staleness is
/// left out: Prometheus then sees it end, as it does here. Labels and types are the series' own.
/// </summary>
internal sealed class Federation(ISeriesReader store, TimeProvider time, int maxSeries)
{
    private static readonly Dictionary<string, string> Help = MetricCatalog.All.ToDictionary(metric => metric.Name, metric => metric.Help);

    /// <summary>Writes all that match one selector or another, each series once.</summary>
    /// <exception cref="QueryException">A selector that cannot be read, or that matches too much.</exception>
    internal void Write(ExpositionText text, IReadOnlyList<string> selectors, CancellationToken cancellation)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        SeriesInfo[] series = Select(selectors, now);
        using ISampleReader reader = store.OpenReader();
        string family = "";
        foreach (SeriesInfo one in series)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!reader.TryReadNewest(one, now, out long unixMs, out double value) || now - unixMs >= one.StaleMs)
            {
                continue;
            }

            if (one.Metric != family)
            {
                family = one.Metric;
                text.Family(family, one.Kind, Help.GetValueOrDefault(family, "A metric that this version does not know."));
            }

            text.Sample(family, one.LabelSpan, value, unixMs);
        }
    }

    private SeriesInfo[] Select(IReadOnlyList<string> selectors, long now)
    {
        // Nothing can be fresh that has no sample in the longest staleness there is.
        long from = now - SeriesInfo.UnknownIntervalStaleMs;
        Dictionary<int, SeriesInfo> found = [];
        foreach (string selector in selectors)
        {
            foreach (SeriesInfo series in store.Match(Selector.Parse(selector), from, now))
            {
                found[series.Id] = series;
            }
        }

        if (found.Count > maxSeries)
        {
            throw new QueryException(QueryErrorKind.TooManySeries, $"the selectors match {found.Count} series; at most {maxSeries} are given at once (metrics.max_series)");
        }

        SeriesInfo[] ordered = [.. found.Values];
        Array.Sort(ordered, SeriesInfo.Order);
        return ordered;
    }
}
