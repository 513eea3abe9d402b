using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb.Head;

/// <summary>A series and the columns that hold its samples: more than one when schemas replaced each other.</summary>
internal sealed class MemorySeries(int id, string metric, Label[] labels, MetricKind kind, string unit, uint scale)
    : SeriesInfo(id, metric, labels, kind, unit, scale)
{
    private Column[] _columns = [];

    /// <summary>Of the metric; files are sorted by it first, so that a query over a fleet reads one stretch of a file.</summary>
    public int MetricId { get; init; }

    /// <summary>In the order of registration. The array never changes; it is replaced, under the registration lock.</summary>
    public Column[] Columns => Volatile.Read(ref _columns);

    /// <summary>Whether a sample may lie in a time range.</summary>
    public bool MayHave(long fromUnixMs, long toUnixMs)
    {
        foreach (Column column in Columns)
        {
            if (column.Schema.MayHave(fromUnixMs, toUnixMs))
            {
                return true;
            }
        }

        return false;
    }

    public void AddColumn(MemorySchema schema, int index) => Volatile.Write(ref _columns, [.. _columns, new Column(schema, index)]);

    public void RemoveColumnsOf(MemorySchema schema) =>
        Volatile.Write(ref _columns, Array.FindAll(_columns, column => column.Schema != schema));

    /// <summary>One place where samples of the series are.</summary>
    internal readonly record struct Column(MemorySchema Schema, int Index);
}
