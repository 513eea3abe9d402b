using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Index;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>Which group a series belongs to: the labels it keeps. A label that a series does not carry is not part of its group.</summary>
internal sealed class Grouping(QueryPlan plan)
{
    private readonly string[] _by = [.. plan.By.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    private readonly HashSet<string> _without = new(plan.Without, StringComparer.Ordinal);
    private readonly List<Label> _kept = [];

    /// <summary>The group's identity, which is also the metric (empty unless kept by <c>__name__</c>) and the labels of its result.</summary>
    public SeriesKey KeyOf(SeriesInfo series)
    {
        _kept.Clear();
        return _without.Count > 0 ? KeyWithout(series) : KeyBy(series);
    }

    private SeriesKey KeyBy(SeriesInfo series)
    {
        string metric = "";
        foreach (string name in _by)
        {
            if (name == SeriesInfo.NameLabel)
            {
                metric = series.Metric;
                continue;
            }

            string value = series.LabelValue(name);
            if (value.Length > 0)
            {
                _kept.Add(new Label(name, value));
            }
        }

        return new SeriesKey(metric, [.. _kept]);
    }

    private SeriesKey KeyWithout(SeriesInfo series)
    {
        foreach (ref readonly Label label in series.LabelSpan)
        {
            if (!_without.Contains(label.Name))
            {
                _kept.Add(label);
            }
        }

        return new SeriesKey("", [.. _kept]);
    }
}
