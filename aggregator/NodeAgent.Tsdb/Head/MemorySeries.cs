using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb.Head;

/// <summary>A series and the columns that hold its samples: more than one when schemas replaced each other.</summary>
internal sealed class MemorySeries(int id, string metric, Label[] labels, MetricKind kind, string unit, uint scale)
    : SeriesInfo(id, metric, labels, kind, unit, scale)
{
    private Column[] _columns = [];
    private long _filesFirstUnixMs = long.MaxValue;
    private long _filesLastUnixMs = long.MinValue;

    /// <summary>Of the metric; files are sorted by it first, so that a query over a fleet reads one stretch of a file.</summary>
    public int MetricId { get; init; }

    /// <summary>In the order of registration. The array never changes; it is replaced, under the registration lock.</summary>
    public Column[] Columns => Volatile.Read(ref _columns);

    /// <summary>Newest row, in files, of the schemas that held it and were retired; <see cref="long.MinValue"/>: there were none.</summary>
    public long RetiredLastUnixMs => Volatile.Read(ref _filesLastUnixMs);

    /// <summary>As <see cref="RetiredLastUnixMs"/>, the oldest.</summary>
    public long RetiredFirstUnixMs => Volatile.Read(ref _filesFirstUnixMs);

    /// <summary>A schema with the series is retired; its rows of this stretch of time are in files. Under the registration lock.</summary>
    public void NoteRetired(SchemaState state)
    {
        Volatile.Write(ref _filesFirstUnixMs, Math.Min(_filesFirstUnixMs, state.FirstUnixMs));
        Volatile.Write(ref _filesLastUnixMs, Math.Max(_filesLastUnixMs, state.LastUnixMs));
    }

    /// <summary>No sample is newer: the newest row of the schemas that hold it or held it. <see cref="long.MinValue"/>: there is no row.</summary>
    public long NewestUnixMs
    {
        get
        {
            long newest = RetiredLastUnixMs;
            foreach (Column column in Columns)
            {
                newest = Math.Max(newest, column.Schema.NewestUnixMs);
            }

            return newest;
        }
    }

    /// <summary>Whether a sample may lie in a time range.</summary>
    public bool MayHave(long fromUnixMs, long toUnixMs)
    {
        if (RetiredFirstUnixMs <= toUnixMs && RetiredLastUnixMs >= fromUnixMs)
        {
            return true;
        }

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
