using NodeAgent.Contracts.Series;
using Wire = NodeAgent.V1;

namespace NodeAgent.Agent.Frames;

/// <summary>
/// The schemas that frames in the spool refer to, each with the sequences between which it is in use, so that every stream can
/// be told exactly those it needs. Written by the tick thread when columns change, read by the uplink.
/// </summary>
internal sealed class SchemaBook
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private uint _lastId;

    /// <summary>How many schemas are kept.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Takes a schema into use from this sequence on, in place of an earlier one of the same sampler.</summary>
    internal uint Register(string sampler, uint intervalMs, IReadOnlyList<SeriesDefinition> series, ulong fromSequence, uint? replaces)
    {
        lock (_lock)
        {
            for (int i = 0; i < _entries.Count; i++)
            {
                if (_entries[i].Id == replaces)
                {
                    _entries[i] = _entries[i] with { UntilSequence = fromSequence };
                }
            }

            uint id = ++_lastId;
            _entries.Add(new Entry(id, fromSequence, ulong.MaxValue, Encode(id, sampler, intervalMs, series)));
            return id;
        }
    }

    /// <summary>Forgets the schemas that no record from this sequence on refers to.</summary>
    internal void Release(ulong firstHeldSequence)
    {
        lock (_lock)
        {
            _entries.RemoveAll(entry => entry.UntilSequence <= firstHeldSequence);
        }
    }

    /// <summary>
    /// Finds the next schema that must be on the stream before the record with this sequence is sent.
    /// </summary>
    /// <param name="sequence">The record about to be sent.</param>
    /// <param name="afterId">The largest id already on the stream; ids are sent in rising order.</param>
    /// <returns>The encoded message, or null when all are there.</returns>
    internal byte[]? NextNeeded(ulong sequence, ref uint afterId)
    {
        lock (_lock)
        {
            foreach (Entry entry in _entries)
            {
                if (entry.Id > afterId && entry.FromSequence <= sequence)
                {
                    afterId = entry.Id;
                    return entry.Message;
                }
            }

            return null;
        }
    }

    private static byte[] Encode(uint id, string sampler, uint intervalMs, IReadOnlyList<SeriesDefinition> series)
    {
        Wire.Schema schema = new() { SchemaId = id, Sampler = sampler, IntervalMs = intervalMs };
        foreach (SeriesDefinition definition in series)
        {
            Wire.SeriesDescriptor descriptor = new()
            {
                Metric = definition.Metric,
                Kind = (Wire.MetricKind)definition.Kind,
                Unit = definition.Unit,
                Scale = definition.Scale,
            };
            descriptor.Labels.AddRange(definition.Labels.Select(label => new Wire.Label { Name = label.Name, Value = label.Value }));
            schema.Series.Add(descriptor);
        }

        return Google.Protobuf.MessageExtensions.ToByteArray(new Wire.AgentMessage { Schema = schema });
    }

    private readonly record struct Entry(uint Id, ulong FromSequence, ulong UntilSequence, byte[] Message);
}
