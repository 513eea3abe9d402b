using System.Buffers;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>One agent's stream as it is read back from the log: its schemas, their decoders and the layout of their lines.</summary>
internal sealed class FollowedStream(string node, int maxSeries, SinkCounters counters)
{
    // As ingest's own table: four of each sampler, 256 samplers.
    private const int MaxSchemas = SchemaTable.MaxPerSampler * SchemaTable.MaxSamplers;

    private readonly Dictionary<uint, Followed> _schemas = [];
    private int _series;

    /// <summary>Deltas have lost their base.</summary>
    internal void Lose()
    {
        foreach (Followed schema in _schemas.Values)
        {
            schema.Decoder.Lose();
        }
    }

    internal void Take(Schema? schema)
    {
        if (schema is null)
        {
            return;
        }

        Forget(schema.SchemaId);
        if (schema.Series.Count is 0 or > SchemaTable.MaxSeriesPerSchema || SchemaTable.CheckKinds(schema) is not null || !HasRoom(schema))
        {
            counters.AddRefusedSchema();
            return;
        }

        SeriesDefinition[] definitions = [.. schema.Series.Select(SchemaTable.Define)];
        if (!SchemaCheck.IsValid(node, definitions))
        {
            counters.AddRefusedSchema(); // the store has refused it too
            return;
        }

        _schemas[schema.SchemaId] = new Followed(schema.Sampler, definitions, new LineLayout(node, definitions));
        _series += definitions.Length;
    }

    /// <summary>Decodes a frame; writes its rows where they are wanted. Returns the samples written.</summary>
    internal int Take(ref FrameReader frame, long unixMs, IBufferWriter<byte>? output)
    {
        int samples = 0;
        while (frame.TryReadBlock(out uint id, out ReadOnlySpan<byte> payload))
        {
            if (!_schemas.TryGetValue(id, out Followed? schema))
            {
                continue; // refused when it came, and counted then
            }

            if (schema.Decoder.Decode(payload) != BlockError.None)
            {
                counters.AddUnreadable();
            }
            else if (output is not null)
            {
                ReadOnlySpan<double> values = schema.Decoder.Values;
                ReadOnlySpan<ulong> present = schema.Screen.Pass(values, schema.Decoder.Present, out _, out _);
                samples += schema.Layout.Write(unixMs, values, present, output);
            }
        }

        return samples;
    }

    // What a sampler replaces counts as gone: an agent that changes its columns does not have them twice.
    private bool HasRoom(Schema schema)
    {
        while (_schemas.Count >= MaxSchemas || (_series + schema.Series.Count > maxSeries && _schemas.Values.Any(known => known.Sampler == schema.Sampler)))
        {
            uint gone = _schemas.First(known => _schemas.Count >= MaxSchemas || known.Value.Sampler == schema.Sampler).Key;
            Forget(gone);
        }

        return _series + schema.Series.Count <= maxSeries;
    }

    private void Forget(uint id)
    {
        if (_schemas.Remove(id, out Followed? former))
        {
            _series -= former.Definitions.Length;
        }
    }

    private sealed class Followed(string sampler, SeriesDefinition[] definitions, LineLayout layout)
    {
        public string Sampler => sampler;

        public SeriesDefinition[] Definitions => definitions;

        public LineLayout Layout => layout;

        public BlockDecoder Decoder { get; } = new(definitions);

        public ValueScreen Screen { get; } = new(definitions);
    }
}
