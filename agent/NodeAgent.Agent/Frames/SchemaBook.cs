using System.Text;
using NodeAgent.Contracts.Series;
using Wire = NodeAgent.V1;

namespace NodeAgent.Agent.Frames;

/// <summary>One schema under its id.</summary>
/// <param name="Id">Unique within the spool epoch.</param>
/// <param name="FromSequence">The first record that may refer to it.</param>
/// <param name="UntilSequence">The first record that cannot any more; the largest number while it is in use.</param>
/// <param name="Message">The encoded <c>AgentMessage{schema}</c>.</param>
internal readonly record struct BookedSchema(uint Id, ulong FromSequence, ulong UntilSequence, byte[] Message);

/// <summary>
/// The schemas of the frames that are being made and of those still in memory. Written by the tick thread when columns change, read by
/// the uplink and by the spool, which puts each one on disk with the first record that needs it.
/// </summary>
internal sealed class SchemaBook
{
    private readonly Lock _lock = new();
    private readonly List<BookedSchema> _entries = [];
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

    /// <summary>The largest id given out so far.</summary>
    internal uint LastId
    {
        get
        {
            lock (_lock)
            {
                return _lastId;
            }
        }
    }

    /// <summary>
    /// Takes a schema into use from this sequence on, in place of an earlier one of the same sampler. One that an earlier life of the agent
    /// used with the same content keeps its id: ids are small numbers in every block of every frame.
    /// </summary>
    internal uint Register(string sampler, uint intervalMs, IReadOnlyList<SeriesDefinition> series, ulong fromSequence, uint? replaces)
    {
        Wire.Schema schema = ToWire(sampler, intervalMs, series);
        lock (_lock)
        {
            for (int i = 0; i < _entries.Count; i++)
            {
                if (_entries[i].Id == replaces)
                {
                    _entries[i] = _entries[i] with { UntilSequence = fromSequence };
                }
            }

            if (TryRevive(schema, fromSequence, out uint revived))
            {
                return revived;
            }

            schema.SchemaId = ++_lastId;
            _entries.Add(new BookedSchema(schema.SchemaId, fromSequence, ulong.MaxValue, Encode(schema)));
            return schema.SchemaId;
        }
    }

    /// <summary>An id for a schema that is not kept here: those of thinned records live on the disk only.</summary>
    internal uint AllocateId()
    {
        lock (_lock)
        {
            return ++_lastId;
        }
    }

    /// <summary>Takes over what an earlier life of the agent used last, and goes on behind its ids. Before the first registration.</summary>
    internal void Restore(IEnumerable<byte[]> schemas, uint lastId)
    {
        lock (_lock)
        {
            foreach (byte[] message in schemas)
            {
                // Not in use until it is registered again: from zero until zero.
                _entries.Add(new BookedSchema(IdOf(message), 0, 0, message));
                _lastId = Math.Max(_lastId, IdOf(message));
            }

            _lastId = Math.Max(_lastId, lastId);
        }
    }

    /// <summary>Forgets the schemas that no record from this sequence on refers to.</summary>
    internal void Release(ulong firstHeldSequence)
    {
        lock (_lock)
        {
            for (int i = _entries.Count - 1; i >= 0; i--)
            {
                if (_entries[i].UntilSequence <= firstHeldSequence)
                {
                    _entries.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>The encoded message, or null when it is not kept here.</summary>
    internal byte[]? TryGet(uint id)
    {
        lock (_lock)
        {
            foreach (BookedSchema entry in _entries)
            {
                if (entry.Id == id)
                {
                    return entry.Message;
                }
            }

            return null;
        }
    }

    /// <summary>Adds to the list the schemas that records may refer to from this sequence on but not before: often none.</summary>
    internal void CopyFirstUsedAt(ulong sequence, List<BookedSchema> into) => Copy(sequence, onlyNew: true, into);

    /// <summary>Adds to the list all schemas that the record with this sequence may refer to.</summary>
    internal void CopyUsedAt(ulong sequence, List<BookedSchema> into) => Copy(sequence, onlyNew: false, into);

    /// <summary>The id in an encoded schema message; 0 when it is none.</summary>
    internal static uint IdOf(ReadOnlySpan<byte> message) =>
        TryFindField(message, Wire.Schema.SchemaIdFieldNumber, out ProtoReader field) ? (uint)field.Number : 0;

    /// <summary>The sampler's name in an encoded schema message; "" when it is none.</summary>
    internal static string SamplerOf(ReadOnlySpan<byte> message) =>
        TryFindField(message, Wire.Schema.SamplerFieldNumber, out ProtoReader field) ? Encoding.UTF8.GetString(field.Bytes) : "";

    private void Copy(ulong sequence, bool onlyNew, List<BookedSchema> into)
    {
        lock (_lock)
        {
            foreach (BookedSchema entry in _entries)
            {
                if (entry.UntilSequence > sequence && (onlyNew ? entry.FromSequence == sequence : entry.FromSequence <= sequence))
                {
                    into.Add(entry);
                }
            }
        }
    }

    private bool TryRevive(Wire.Schema schema, ulong fromSequence, out uint id)
    {
        id = 0;
        for (int i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].UntilSequence != 0)
            {
                continue;
            }

            schema.SchemaId = _entries[i].Id;
            if (Encode(schema).AsSpan().SequenceEqual(_entries[i].Message))
            {
                id = schema.SchemaId;
                _entries[i] = _entries[i] with { FromSequence = fromSequence, UntilSequence = ulong.MaxValue };
                return true;
            }
        }

        return false;
    }

    private static bool TryFindField(ReadOnlySpan<byte> message, int number, out ProtoReader field)
    {
        field = new ProtoReader(message);
        if (!field.TryReadField() || field.Field != Wire.AgentMessage.SchemaFieldNumber)
        {
            return false;
        }

        field = new ProtoReader(field.Bytes);
        while (field.TryReadField())
        {
            if (field.Field == number)
            {
                return true;
            }
        }

        return false;
    }

    private static byte[] Encode(Wire.Schema schema) => Google.Protobuf.MessageExtensions.ToByteArray(new Wire.AgentMessage { Schema = schema });

    private static Wire.Schema ToWire(string sampler, uint intervalMs, IReadOnlyList<SeriesDefinition> series)
    {
        Wire.Schema schema = new() { Sampler = sampler, IntervalMs = intervalMs };
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

        return schema;
    }
}
