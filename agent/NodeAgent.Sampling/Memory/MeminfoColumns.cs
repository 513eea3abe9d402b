using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Sets the columns of one meminfo text; a key seen for the first time gets its column then.</summary>
/// <param name="metricOf">Metric of a key; the flag says whether the value is bytes.</param>
/// <param name="labels">Labels of every column.</param>
internal sealed class MeminfoColumns(Func<string, bool, MetricDefinition> metricOf, params Label[] labels)
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
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (!MeminfoParser.TryParseLine(line, out MeminfoReading reading) || !TryFindOrAdd(reading, series, out int column))
            {
                status = SampleStatus.Malformed;
                continue;
            }

            series.Set(column, reading.Value);
        }

        return status;
    }

    private bool TryFindOrAdd(in MeminfoReading reading, SeriesTable series, out int column)
    {
        if (_keys.TryFind(reading.Key, out column))
        {
            return true;
        }

        if (!_keys.TryAdd(reading.Key, series.Count))
        {
            return false;
        }

        column = series.Add(metricOf(Encoding.ASCII.GetString(reading.Key), reading.IsBytes), labels);
        return true;
    }
}
