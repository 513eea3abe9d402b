using Google.Protobuf;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;
using ContractLabel = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Frames;

/// <summary>An aggregator as the contract describes it and no more: decoders by schema, and the values of the last frame.</summary>
internal sealed class FrameReading
{
    private readonly Dictionary<uint, (Schema Schema, BlockDecoder Decoder)> _schemas = [];

    /// <summary>Whether a schema may come a second time or out of order, as on a stream that goes through several lives.</summary>
    internal bool AllowsSchemasAgain { get; init; }

    internal List<ulong> Sequences { get; } = [];

    internal Frame Last { get; private set; } = new();

    /// <summary>By sampler: the values of the last frame, NaN where absent.</summary>
    internal Dictionary<string, double[]> Values { get; } = [];

    internal void Take(ReadOnlySpan<byte> message)
    {
        AgentMessage parsed = AgentMessage.Parser.ParseFrom(message);
        if (parsed.BodyCase == AgentMessage.BodyOneofCase.Schema)
        {
            Register(parsed.Schema);
            return;
        }

        Assert.Equal(AgentMessage.BodyOneofCase.Frame, parsed.BodyCase);
        Last = parsed.Frame;
        Sequences.Add(Last.Sequence);
        Values.Clear();
        foreach (Block block in Last.Blocks)
        {
            Assert.True(_schemas.ContainsKey(block.SchemaId), $"frame {Last.Sequence}: schema {block.SchemaId} was not sent before it");
            (Schema schema, BlockDecoder decoder) = _schemas[block.SchemaId];
            BlockError error = decoder.Decode(block.Payload.Span);
            Assert.True(error == BlockError.None, $"frame {Last.Sequence}, key {Last.Key}, stands for {Last.StandsFor}, schema {block.SchemaId}: {error}; before it {string.Join(' ', Sequences.TakeLast(4))}");
            double[] values = decoder.Values.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (decoder.Present[i >> 6] & (1UL << (i & 63))) != 0 ? values[i] : double.NaN;
            }

            Values[schema.Sampler] = values;
        }
    }

    internal Schema SchemaOf(string sampler) => _schemas.Values.Last(known => known.Schema.Sampler == sampler).Schema;

    private void Register(Schema schema)
    {
        Assert.True(AllowsSchemasAgain || _schemas.Keys.All(id => id < schema.SchemaId), $"schema {schema.SchemaId} came out of order or twice");
        SeriesDefinition[] definitions = [.. schema.Series.Select(s => new SeriesDefinition(
            s.Metric, (ContractKind)s.Kind, s.Unit, s.Scale, s.Labels.Select(l => new ContractLabel(l.Name, l.Value))))];
        _schemas[schema.SchemaId] = (schema, new BlockDecoder(definitions));
    }
}
