using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Sets the columns of one text of "key value" lines; a key seen for the first time gets its column then.</summary>
/// <param name="metricOf">Metric of a key; null: not sampled.</param>
/// <param name="labels">Labels of every column.</param>
internal sealed class KeyValueColumns(Func<string, MetricDefinition?> metricOf, params Label[] labels)
{
    private readonly KeyIndex _keys = new();

    public SampleStatus Set(ReadOnlySpan<byte> text, SeriesTable series)
    {
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        SampleStatus status = WholeLines.TryKeep(ref text) ? SampleStatus.Ok : SampleStatus.Malformed;
        _keys.Begin();
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (!KeyValueParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> key, out ulong value) ||
                !TryFindOrAdd(key, series, out int column))
            {
                status = SampleStatus.Malformed;
            }
            else if (column >= 0)
            {
                series.Set(column, value);
            }
        }

        return status;
    }

    private bool TryFindOrAdd(ReadOnlySpan<byte> key, SeriesTable series, out int column)
    {
        if (_keys.TryFind(key, out column))
        {
            return true;
        }

        MetricDefinition? metric = metricOf(Encoding.UTF8.GetString(key));
        if (!_keys.TryAdd(key, metric is null ? -1 : series.Count))
        {
            return false;
        }

        column = metric is null ? -1 : series.Add(metric, labels);
        return true;
    }
}
