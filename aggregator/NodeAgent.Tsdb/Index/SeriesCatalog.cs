using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Index;

/// <summary>
/// Who exists: nodes, their schemas, the series and the index over them. Changed at registration and when something is forgotten,
/// never by an append. Not thread-safe: the store guards it with its registration lock.
/// </summary>
internal sealed partial class SeriesCatalog(StoreAccounts accounts)
{
    private readonly SortedDictionary<string, NodeEntry> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<SeriesKey, MemorySeries> _series = [];
    private readonly LabelIndex _index = new();
    private readonly RowCounters _forgotten = new();
    private readonly Dictionary<string, int> _metricIds = new(StringComparer.Ordinal);
    private MemorySchema[]? _schemas; // null: to be collected again. Readers that share the lock may both do so, with the same result
    private int _nextId;
    private int _nextSchemaId = 1;
    private int _nextMetricId = 1;

    public IEnumerable<string> Nodes => _nodes.Keys;

    public int NodeCount => _nodes.Count;

    public int SeriesCount => _index.Count;

    /// <summary>The next series, metric and schema ids; setting them only ever raises them.</summary>
    public (int Series, int Metric, int Schema) NextIds
    {
        get => (_nextId, _nextMetricId, _nextSchemaId);
        set => (_nextId, _nextMetricId, _nextSchemaId) =
            (Math.Max(_nextId, value.Series), Math.Max(_nextMetricId, value.Metric), Math.Max(_nextSchemaId, value.Schema));
    }

    public long EstimatedBytes => _index.EstimatedBytes;

    /// <summary>Every schema, replaced ones included. Upkeep asks once a second and more, and walking the tree of nodes is its dearest part.</summary>
    public MemorySchema[] Schemas => _schemas ??= [.. _nodes.Values.SelectMany(node => node.Schemas)];

    /// <summary>Counters of the schemas that are no longer there.</summary>
    public RowCounters Forgotten => _forgotten;

    public MemorySeries? Find(int seriesId) => _index.Find(seriesId);

    public MemorySeries[] Select(Selector selector) => _index.Select(selector);

    /// <summary>A node's current schemas, sorted by sampler.</summary>
    public SchemaHandle[] CurrentSchemas(string node) => _nodes.TryGetValue(node, out NodeEntry? entry)
        ? [.. entry.Schemas.Where(schema => !schema.IsReplaced).OrderBy(schema => schema.Sampler, StringComparer.Ordinal)]
        : [];

    /// <summary>The schema of these columns: the one that is there, or a new one; null if the node may not have so many series.</summary>
    public MemorySchema? Register(
        string node,
        string sampler,
        int intervalMs,
        IReadOnlyList<SeriesDefinition> definitions,
        SeriesKey[] keys,
        int maxSeries,
        out bool isNew)
    {
        isNew = false;
        int missing = keys.Count(key => !_series.TryGetValue(key, out MemorySeries? known) || _inactive.ContainsKey(known.Id));
        _nodes.TryGetValue(node, out NodeEntry? entry);
        if (missing > 0 && (entry?.SeriesCount ?? 0) + missing > maxSeries)
        {
            return null;
        }

        node = _index.Intern(node);
        if (entry is null)
        {
            _nodes.Add(node, entry = new NodeEntry());
        }

        entry.SeriesCount += missing;
        MemorySeries[] columns = Resolve(definitions, keys, intervalMs, ids: null);
        MemorySchema? schema = entry.Schemas.Find(known => IsSame(known, sampler, intervalMs, columns, definitions));
        if (schema is null)
        {
            isNew = true;
            schema = Create(node, _index.Intern(sampler), intervalMs, columns, definitions, id: null);
            entry.Schemas.Add(schema);
            _schemas = null;
        }

        foreach (MemorySchema other in entry.Schemas)
        {
            if (other.Sampler == sampler)
            {
                other.IsReplaced = other != schema;
            }
        }

        return schema;
    }

    /// <summary>Brings back a schema that the index log remembers, under the ids that it had.</summary>
    /// <param name="id">The schema's.</param>
    /// <param name="node">Node name.</param>
    /// <param name="sampler">Sampler name.</param>
    /// <param name="intervalMs">Expected distance of rows.</param>
    /// <param name="definitions">The columns.</param>
    /// <param name="keys">Their identities.</param>
    /// <param name="ids">Their ids, and those of their metrics.</param>
    public MemorySchema Restore(
        int id,
        string node,
        string sampler,
        int intervalMs,
        IReadOnlyList<SeriesDefinition> definitions,
        SeriesKey[] keys,
        (int Series, int Metric)[] ids)
    {
        node = _index.Intern(node);
        if (!_nodes.TryGetValue(node, out NodeEntry? entry))
        {
            _nodes.Add(node, entry = new NodeEntry());
        }

        entry.SeriesCount += keys.Count(key => !_series.TryGetValue(key, out MemorySeries? known) || _inactive.ContainsKey(known.Id));
        MemorySeries[] columns = Resolve(definitions, keys, intervalMs, ids);
        foreach (MemorySchema other in entry.Schemas)
        {
            other.IsReplaced |= other.Sampler == sampler;
        }

        MemorySchema schema = Create(node, _index.Intern(sampler), intervalMs, columns, definitions, id);
        schema.IsReplaced = sampler.Length == 0; // only holds on to inactive series, see InactiveSchemas
        entry.Schemas.Add(schema);
        _schemas = null;
        return schema;
    }

    /// <summary>Everything is restored; only now may anybody select.</summary>
    public void EndRestore() => _index.Sort();

    /// <summary>Forgets schemas that hold nothing, and the series that were only there.</summary>
    public void Forget(IReadOnlyCollection<MemorySchema> dead)
    {
        List<MemorySeries> orphans = [];
        foreach (MemorySchema schema in dead)
        {
            NodeEntry entry = _nodes[schema.Node];
            entry.Schemas.Remove(schema);
            _schemas = null;
            _forgotten.Add(schema.Counters);
            schema.Release();
            foreach (MemorySeries series in schema.MemorySeries)
            {
                series.RemoveColumnsOf(schema);
                if (series.Columns.Length == 0)
                {
                    orphans.Add(series);
                    _series.Remove(new SeriesKey(series.Metric, [.. series.Labels]));
                    entry.SeriesCount--;
                }
            }

            if (entry.Schemas.Count == 0)
            {
                _nodes.Remove(schema.Node);
            }
        }

        _index.Remove(orphans);
    }

    private static bool IsSame(
        MemorySchema known, string sampler, int intervalMs, MemorySeries[] columns, IReadOnlyList<SeriesDefinition> definitions)
    {
        if (known.IsExpired || known.Sampler != sampler || known.IntervalMs != intervalMs || !known.MemorySeries.AsSpan().SequenceEqual(columns))
        {
            return false;
        }

        for (int i = 0; i < definitions.Count; i++)
        {
            if (known.Scales[i] != definitions[i].Scale)
            {
                return false;
            }
        }

        return true;
    }

    private MemorySchema Create(
        string node, string sampler, int intervalMs, MemorySeries[] columns, IReadOnlyList<SeriesDefinition> definitions, int? id)
    {
        uint[] scales = [.. definitions.Select(definition => definition.Scale)];
        int firstCloseAt = 1 + (int)(StableHash(node, sampler) % (uint)accounts.Options.HeadRows);
        MemorySchema schema = new(node, sampler, intervalMs, columns, scales, firstCloseAt, accounts) { Id = id ?? _nextSchemaId };
        _nextSchemaId = Math.Max(_nextSchemaId, schema.Id) + 1;
        for (int i = 0; i < columns.Length; i++)
        {
            columns[i].AddColumn(schema, i);
            RemoveInactive(columns[i]);
        }

        return schema;
    }

    private MemorySeries[] Resolve(IReadOnlyList<SeriesDefinition> definitions, SeriesKey[] keys, int intervalMs, (int Series, int Metric)[]? ids)
    {
        MemorySeries[] columns = new MemorySeries[keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            SeriesDefinition definition = definitions[i];
            if (!_series.TryGetValue(keys[i], out MemorySeries? series))
            {
                Label[] labels = [.. keys[i].Labels.Select(label => new Label(_index.Intern(label.Name), _index.Intern(label.Value)))];
                string metric = _index.Intern(definition.Metric);
                int id = ids is null ? _nextId : ids[i].Series;
                _nextId = Math.Max(_nextId, id + 1);
                series = new MemorySeries(id, metric, labels, definition.Kind, definition.Unit, definition.Scale)
                {
                    MetricId = MetricIdOf(metric, ids?[i].Metric),
                };
                _series.Add(new SeriesKey(metric, labels), series);
                _index.Add(series);
            }

            series.Describe(definition.Kind, _index.Intern(definition.Unit), definition.Scale, intervalMs);
            columns[i] = series;
        }

        return columns;
    }

    private int MetricIdOf(string metric, int? restored)
    {
        if (!_metricIds.TryGetValue(metric, out int id))
        {
            id = restored ?? _nextMetricId;
            _nextMetricId = Math.Max(_nextMetricId, id + 1);
            _metricIds.Add(metric, id);
        }

        return id;
    }

    /// <summary>FNV-1a: the same in every process, unlike string hashes, so that a run can be repeated.</summary>
    private static uint StableHash(string node, string sampler)
    {
        uint hash = 2_166_136_261;
        foreach (char c in node + "/" + sampler)
        {
            hash = (hash ^ c) * 16_777_619;
        }

        // Its low bits alone are weak for names that differ in the last digit; fold the high ones in.
        return hash ^ (hash >> 15);
    }

    private sealed class NodeEntry
    {
        public List<MemorySchema> Schemas { get; } = [];

        public int SeriesCount { get; set; }
    }
}
