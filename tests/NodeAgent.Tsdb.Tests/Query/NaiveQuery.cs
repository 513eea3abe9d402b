using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>
/// What a store and the query engine should answer, written down as directly as possible: every sample in a dictionary, every window
/// filtered out of it anew, every formula over a list. Nothing is shared with the code under test but the plan.
/// </summary>
internal sealed class NaiveQuery
{
    private readonly Dictionary<string, NaiveSeries> _series = [];

    public void Add(SeriesInfo series, long unixMs, double value)
    {
        string key = series.ToString();
        if (!_series.TryGetValue(key, out NaiveSeries? known))
        {
            Dictionary<string, string> labels = series.Labels.ToDictionary(label => label.Name, label => label.Value);
            _series.Add(key, known = new NaiveSeries(series.Metric, labels, []));
        }

        known.Samples[unixMs] = value;
    }

    /// <summary>Values by result ("metric{labels}") and step; results without any value are left out.</summary>
    public Dictionary<string, double[]> Evaluate(QueryPlan plan, long start, long step, int steps, long defaultWindow)
    {
        Dictionary<string, List<double[]>> groups = [];
        foreach (NaiveSeries series in _series.Values.Where(series => Matches(plan.Selector, series)))
        {
            double[] values = [.. Enumerable.Range(0, steps).Select(i => Window(plan, series, start + (i * step), defaultWindow))];
            if (values.Any(value => !double.IsNaN(value)))
            {
                string key = Identity(plan, series);
                groups.TryAdd(key, []);
                groups[key].Add(values);
            }
        }

        Dictionary<string, double[]> results = groups.ToDictionary(
            group => group.Key,
            group => plan.Aggregation == Aggregation.None
                ? group.Value.Single()
                : [.. Enumerable.Range(0, steps).Select(i => Aggregate(plan, [.. group.Value.Select(row => row[i]).Where(value => !double.IsNaN(value))]))]);
        return plan.Ranking == Ranking.All ? results : Rank(plan, results, steps);
    }

    private static bool Matches(Selector selector, NaiveSeries series) => selector.Matchers.All(matcher =>
    {
        string value = matcher.Name == "__name__" ? series.Metric : series.Labels.GetValueOrDefault(matcher.Name, "");
        return matcher.Operator switch
        {
            MatchOperator.Equal => value == matcher.Value,
            MatchOperator.NotEqual => value != matcher.Value,
            MatchOperator.Matches => System.Text.RegularExpressions.Regex.IsMatch(value, $"^(?:{matcher.Value})$"),
            _ => !System.Text.RegularExpressions.Regex.IsMatch(value, $"^(?:{matcher.Value})$"),
        };
    });

    private static string Identity(QueryPlan plan, NaiveSeries series)
    {
        if (plan.Aggregation == Aggregation.None)
        {
            string metric = plan.Function == WindowFunction.Last || plan.Selector.Metric is null ? series.Metric : "";
            return Format(metric, series.Labels);
        }

        IEnumerable<KeyValuePair<string, string>> kept = plan.Without.Count > 0
            ? series.Labels.Where(label => !plan.Without.Contains(label.Key))
            : series.Labels.Where(label => plan.By.Contains(label.Key));
        return Format(plan.By.Contains("__name__") ? series.Metric : "", kept);
    }

    private static string Format(string metric, IEnumerable<KeyValuePair<string, string>> labels) =>
        SeriesDefinition.Format(metric, [.. labels.Select(label => new Label(label.Key, label.Value)).Order()]);

    private static double Window(QueryPlan plan, NaiveSeries series, long at, long defaultWindow)
    {
        // All series of these tests are sampled each second, so they are stale after 5 s.
        long window = plan.WindowMs > 0 ? plan.WindowMs : plan.Function == WindowFunction.Last ? 5_000 : defaultWindow;
        List<KeyValuePair<long, double>> samples = [.. series.Samples.Where(sample => sample.Key > at - window && sample.Key <= at).OrderBy(sample => sample.Key)];
        if (plan.Function == WindowFunction.Last)
        {
            return samples.Count == 0 ? double.NaN : samples[^1].Value;
        }

        samples.RemoveAll(sample => double.IsNaN(sample.Value));
        List<double> values = [.. samples.Select(sample => sample.Value)];
        if (values.Count == 0)
        {
            return double.NaN;
        }

        return plan.Function switch
        {
            WindowFunction.Avg => values.Sum() / values.Count,
            WindowFunction.Min => values.Min(),
            WindowFunction.Max => values.Max(),
            WindowFunction.Sum => values.Sum(),
            WindowFunction.Count => values.Count,
            WindowFunction.Quantile => Quantile(plan.WindowQuantile, values),
            WindowFunction.Delta => values.Count < 2 ? double.NaN : values[^1] - values[0],
            WindowFunction.Increase => Increase(samples, at - window, at),
            _ => Increase(samples, at - window, at) / (window / 1000.0),
        };
    }

    /// <summary>Prometheus' extrapolatedRate, transcribed in seconds.</summary>
    private static double Increase(List<KeyValuePair<long, double>> samples, long rangeStart, long rangeEnd)
    {
        if (samples.Count < 2)
        {
            return double.NaN;
        }

        double result = samples[^1].Value - samples[0].Value;
        for (int i = 1; i < samples.Count; i++)
        {
            result += samples[i].Value < samples[i - 1].Value ? samples[i - 1].Value : 0;
        }

        double durationToStart = (samples[0].Key - rangeStart) / 1000.0;
        double durationToEnd = (rangeEnd - samples[^1].Key) / 1000.0;
        double sampled = (samples[^1].Key - samples[0].Key) / 1000.0;
        double average = sampled / (samples.Count - 1);
        double threshold = average * 1.1;
        durationToStart = durationToStart >= threshold ? average / 2 : durationToStart;
        if (result > 0 && samples[0].Value >= 0)
        {
            double durationToZero = sampled * (samples[0].Value / result);
            durationToStart = durationToZero < durationToStart ? durationToZero : durationToStart;
        }

        durationToEnd = durationToEnd >= threshold ? average / 2 : durationToEnd;
        return result * ((sampled + durationToStart + durationToEnd) / sampled);
    }

    private static double Aggregate(QueryPlan plan, List<double> values)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        return plan.Aggregation switch
        {
            Aggregation.Sum => values.Sum(),
            Aggregation.Avg => values.Sum() / values.Count,
            Aggregation.Min => values.Min(),
            Aggregation.Max => values.Max(),
            Aggregation.Count => values.Count,
            Aggregation.StdDev => Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / values.Count),
            _ => Quantile(plan.Quantile, values),
        };
    }

    private static double Quantile(double q, List<double> values)
    {
        List<double> sorted = [.. values.Order()];
        double rank = q * (sorted.Count - 1);
        int lower = (int)Math.Floor(rank);
        int upper = Math.Min(sorted.Count - 1, lower + 1);
        double weight = rank - lower;
        return (sorted[lower] * (1 - weight)) + (sorted[upper] * weight);
    }

    private static Dictionary<string, double[]> Rank(QueryPlan plan, Dictionary<string, double[]> results, int steps)
    {
        Dictionary<string, double[]> kept = results.Keys.ToDictionary(key => key, _ => Enumerable.Repeat(double.NaN, steps).ToArray());
        for (int step = 0; step < steps; step++)
        {
            IEnumerable<KeyValuePair<string, double[]>> present = results.Where(result => !double.IsNaN(result.Value[step]));
            present = plan.Ranking == Ranking.Top ? present.OrderByDescending(result => result.Value[step]) : present.OrderBy(result => result.Value[step]);
            foreach ((string key, double[] values) in present.Take(plan.K))
            {
                kept[key][step] = values[step];
            }
        }

        return kept.Where(result => result.Value.Any(value => !double.IsNaN(value))).ToDictionary();
    }

    private sealed record NaiveSeries(string Metric, Dictionary<string, string> Labels, Dictionary<long, double> Samples);
}
