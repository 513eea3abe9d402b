using System.Diagnostics.CodeAnalysis;
using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Index;

/// <summary>
/// Series that nobody feeds any more. When labels come and go (jobs, processes), schemas are replaced for ever; a schema of which
/// everything is in files is retired, and what stays of it are the identities of its series, until their samples are gone or there are
/// too many. So memory follows what is alive plus a bound, not what ever was.
/// </summary>
internal sealed partial class SeriesCatalog
{
    private const long DayMs = 24 * 3_600_000L;
    private const int SeriesPerRecord = 10_000; // far below the manifest's largest record

    private const int MostForgotten = 2_000; // a millisecond or two

    private readonly Dictionary<int, long> _inactive = []; // series id -> which silence it is in
    private readonly Queue<(MemorySeries Series, long Silence)> _longestSilent = new();
    private readonly Dictionary<string, InactiveNode> _inactiveNodes = new(StringComparer.Ordinal);
    private readonly Queue<string> _crowded = new(); // nodes that may have more than their quota
    private long _silences;

    public int InactiveCount => _inactive.Count;

    /// <summary>Takes out schemas of which all rows are in files; series that were only theirs become inactive.</summary>
    public void Retire(IReadOnlyCollection<MemorySchema> retired)
    {
        foreach (MemorySchema schema in retired)
        {
            NodeEntry entry = _nodes[schema.Node];
            entry.Schemas.Remove(schema);
            _schemas = null;
            _forgotten.Add(schema.Counters);
            schema.Release();
            foreach (MemorySeries series in schema.MemorySeries)
            {
                series.NoteRetired(schema.State);
                series.RemoveColumnsOf(schema);
                if (series.Columns.Length == 0)
                {
                    AddInactive(series);
                    entry.SeriesCount--;
                }
            }

            if (entry.Schemas.Count == 0)
            {
                _nodes.Remove(schema.Node);
            }
        }
    }

    /// <summary>
    /// Forgets inactive series: those whose samples are gone, those of a node beyond its quota, and above the bound the longest silent. A
    /// bounded number at a time, because nobody can register meanwhile.
    /// </summary>
    /// <param name="oldestUnixMs">No file keeps anything older.</param>
    /// <param name="most">The bound.</param>
    /// <param name="quota">How many inactive series a node may have.</param>
    /// <param name="early">How many of them may still have had samples.</param>
    /// <returns>The ids of the forgotten.</returns>
    public List<int> ForgetInactive(long oldestUnixMs, int most, ISeriesQuota quota, out int early)
    {
        List<MemorySeries> gone = [];
        early = 0;
        while (gone.Count < MostForgotten && TryPeek(_longestSilent, out MemorySeries? series))
        {
            bool isGone = series.RetiredLastUnixMs < oldestUnixMs;
            if (!isGone && _inactive.Count <= most)
            {
                break;
            }

            early += isGone ? 0 : 1;
            Drop(series, gone);
        }

        while (gone.Count < MostForgotten && _crowded.TryPeek(out string? node))
        {
            InactiveNode entry = _inactiveNodes[node];
            if (entry.Count > quota.MaxSeries(node) && TryPeek(entry.LongestSilent, out MemorySeries? series))
            {
                early++;
                Drop(series, gone);
                continue;
            }

            _crowded.Dequeue();
        }

        _index.Remove(gone);
        return [.. gone.Select(series => series.Id)];
    }

    /// <summary>
    /// The inactive series as schemas without a sampler, for the manifest: by node, and by day and interval, which their states keep for all.
    /// </summary>
    public List<(MemorySchema Schema, SchemaState State)> InactiveSchemas()
    {
        List<(MemorySchema, SchemaState)> schemas = [];
        var groups = _inactive.Keys.Select(id => _index.Find(id)!).GroupBy(series => (Node: series.LabelValue(SeriesInfo.NodeLabel), Day: series.RetiredLastUnixMs / DayMs, series.IntervalMs));
        foreach (var group in groups)
        {
            foreach (MemorySeries[] some in group.OrderBy(series => series.Id).Chunk(SeriesPerRecord))
            {
                uint[] scales = [.. some.Select(series => series.Scale)];
                MemorySchema schema = new(group.Key.Node, "", group.Key.IntervalMs, some, scales, 1, accounts) { Id = _nextSchemaId++ };
                SchemaState state = new()
                {
                    FirstUnixMs = some.Min(series => series.RetiredFirstUnixMs), LastUnixMs = some.Max(series => series.RetiredLastUnixMs),
                };
                schemas.Add((schema, state));
            }
        }

        return schemas;
    }

    private void AddInactive(MemorySeries series)
    {
        long silence = ++_silences;
        _inactive.Add(series.Id, silence);
        _longestSilent.Enqueue((series, silence));
        string node = series.LabelValue(SeriesInfo.NodeLabel);
        if (!_inactiveNodes.TryGetValue(node, out InactiveNode? entry))
        {
            _inactiveNodes.Add(node, entry = new InactiveNode());
        }

        entry.Count++;
        entry.LongestSilent.Enqueue((series, silence));
        if (entry.Count > accounts.Options.Quota.MaxSeries(node))
        {
            _crowded.Enqueue(node);
        }
    }

    private void RemoveInactive(MemorySeries series)
    {
        if (!_inactive.Remove(series.Id))
        {
            return;
        }

        string node = series.LabelValue(SeriesInfo.NodeLabel);
        InactiveNode entry = _inactiveNodes[node];
        if (--entry.Count == 0)
        {
            entry.LongestSilent.Clear();
        }
    }

    private void Drop(MemorySeries series, List<MemorySeries> gone)
    {
        RemoveInactive(series);
        _series.Remove(new SeriesKey(series.Metric, [.. series.Labels]));
        gone.Add(series);
    }

    /// <summary>The first that is still as silent as when it came into the queue; those that spoke since are taken out on the way.</summary>
    private bool TryPeek(Queue<(MemorySeries Series, long Silence)> queue, [NotNullWhen(true)] out MemorySeries? series)
    {
        while (queue.TryPeek(out (MemorySeries Series, long Silence) first))
        {
            if (_inactive.GetValueOrDefault(first.Series.Id) == first.Silence)
            {
                series = first.Series;
                return true;
            }

            queue.Dequeue();
        }

        series = null;
        return false;
    }

    /// <summary>A node's inactive series in the order in which they fell silent.</summary>
    private sealed class InactiveNode
    {
        public int Count { get; set; }

        public Queue<(MemorySeries Series, long Silence)> LongestSilent { get; } = new();
    }
}
