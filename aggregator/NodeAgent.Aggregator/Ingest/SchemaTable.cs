using System.Diagnostics.CodeAnalysis;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;
using ContractLabel = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// The schemas of one stream by their ids. A sampler may have several: its present columns, earlier ones that a backlog still uses, and
/// those of thinned records. What the store will not take is remembered too, so that its blocks are passed over and the others stored.
/// </summary>
internal sealed class SchemaTable(string node, ISeriesWriter store)
{
    /// <summary>More columns than any host we know has in one sampler, by a factor of ten.</summary>
    internal const int MaxSeriesPerSchema = 20_000;

    /// <summary>Samplers of one agent at most; a stream with more is not one of ours.</summary>
    internal const int MaxSamplers = 256;

    /// <summary>One at full rate, two thinned ones, one that was replaced; the oldest goes when a fifth comes.</summary>
    internal const int MaxPerSampler = 4;

    /// <summary>Encoded schemas of one stream: they are repeated in the log. A 400-series node has 40 KiB.</summary>
    internal const int MaxBytes = 4 << 20;

    private const int MaxRefused = 1_024;

    private readonly List<SchemaColumns> _known = []; // in the order in which they came
    private readonly Dictionary<uint, SchemaColumns> _byId = [];
    private readonly Dictionary<uint, string> _refused = [];
    private readonly Queue<uint> _refusedOrder = [];
    private int _bytes;

    /// <summary>Those that are stored, in the order in which they came.</summary>
    internal IReadOnlyList<SchemaColumns> Known => _known;

    /// <summary>The shortest distance of two blocks that any of them promises; 0: none says.</summary>
    internal int ShortestIntervalMs { get; private set; }

    internal bool TryFind(uint id, [NotNullWhen(true)] out SchemaColumns? schema) => _byId.TryGetValue(id, out schema);

    /// <summary>Its blocks are passed over.</summary>
    internal bool IsRefused(uint id) => _refused.ContainsKey(id);

    /// <summary>Takes a schema. Null: it is stored from now on; else why not, in a sentence.</summary>
    internal string? Add(Schema schema, ReadOnlySpan<byte> message)
    {
        Forget(schema.SchemaId);
        string? problem = Check(schema, message.Length) ?? CheckKinds(schema);
        if (problem is null)
        {
            SeriesDefinition[] definitions = [.. schema.Series.Select(Define)];
            RegisterResult result = store.Register(node, schema.Sampler, (int)Math.Min(schema.IntervalMs, int.MaxValue), definitions);
            if (result.IsAccepted)
            {
                Keep(new SchemaColumns(schema.SchemaId, message.ToArray(), result.Handle, definitions));
                return null;
            }

            problem = result.Detail;
        }

        Refuse(schema.SchemaId, schema.Sampler);
        return $"schema {schema.SchemaId} ({schema.Sampler}): {problem}";
    }

    /// <summary>Blocks of this id are passed over from now on.</summary>
    internal void Refuse(uint id, string sampler)
    {
        if (_refused.TryAdd(id, sampler))
        {
            _refusedOrder.Enqueue(id);
        }

        while (_refusedOrder.Count > MaxRefused)
        {
            _refused.Remove(_refusedOrder.Dequeue());
        }
    }

    /// <summary>The store has forgotten it; registers it again. Null: done.</summary>
    internal string? Renew(SchemaColumns schema)
    {
        RegisterResult again = store.Register(node, schema.Handle.Sampler, schema.Handle.IntervalMs, schema.Definitions);
        if (again.IsAccepted)
        {
            schema.Handle = again.Handle;
        }

        return again.IsAccepted ? null : again.Detail;
    }

    /// <summary>
    /// The store lists a sampler's latest registration as its present one. After a backlog has brought older or thinned columns, the live
    /// ones are registered again: the same handle, and the listing is right.
    /// </summary>
    internal void Reassert(string sampler)
    {
        if (_known.FindLast(schema => schema.Handle.Sampler == sampler) is { } present)
        {
            _ = Renew(present);
        }
    }

    /// <summary>Records are missing before the next one: deltas have lost their base.</summary>
    internal void Lose()
    {
        foreach (SchemaColumns schema in _known)
        {
            schema.Decoder.Lose();
        }
    }

    private string? Check(Schema schema, int bytes)
    {
        if (_bytes + bytes > MaxBytes)
        {
            return $"{bytes} bytes; all schemas of a stream may have {MaxBytes}";
        }

        return schema.Series.Count is 0 or > MaxSeriesPerSchema ? $"{schema.Series.Count} series; 1 to {MaxSeriesPerSchema} are allowed"
            : IsOneSamplerTooMany(schema.Sampler) ? $"more than {MaxSamplers} samplers on one stream"
            : null;
    }

    internal static string? CheckKinds(Schema schema)
    {
        for (int i = 0; i < schema.Series.Count; i++)
        {
            SeriesDescriptor series = schema.Series[i];
            if (series.Kind is not (MetricKind.Gauge or MetricKind.Counter))
            {
                return $"series {i} ({series.Metric}) has the kind {(int)series.Kind}, which is neither gauge nor counter";
            }
        }

        return null;
    }

    private bool IsOneSamplerTooMany(string sampler) =>
        _known.Count >= MaxSamplers
        && !_known.Exists(known => known.Handle.Sampler == sampler)
        && _known.DistinctBy(known => known.Handle.Sampler).Count() >= MaxSamplers;

    internal static SeriesDefinition Define(SeriesDescriptor series) => new(
        series.Metric, (ContractKind)series.Kind, series.Unit, series.Scale, series.Labels.Select(label => new ContractLabel(label.Name, PlainText.Of(label.Value))));

    private void Keep(SchemaColumns schema)
    {
        List<SchemaColumns> ofSampler = _known.FindAll(known => known.Handle.Sampler == schema.Handle.Sampler);
        if (ofSampler.Count >= MaxPerSampler)
        {
            Forget(ofSampler[0].Id);
        }

        _known.Add(schema);
        _byId[schema.Id] = schema;
        _bytes += schema.Message.Length;
        ShortestIntervalMs = _known.Where(known => known.Handle.IntervalMs > 0).Select(known => known.Handle.IntervalMs).DefaultIfEmpty(0).Min();
    }

    private void Forget(uint id)
    {
        _refused.Remove(id);
        if (_byId.Remove(id, out SchemaColumns? former))
        {
            _known.Remove(former);
            _bytes -= former.Message.Length;
        }
    }
}
