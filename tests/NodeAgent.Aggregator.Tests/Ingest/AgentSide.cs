using Google.Protobuf;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;
using ContractLabel = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>Makes an agent's messages with the contract's own encoder; keeps a sequence, as an agent does.</summary>
internal sealed class AgentSide
{
    internal const long Start = 1_700_000_000_000;

    private readonly Dictionary<uint, BlockEncoder> _encoders = [];

    internal ulong Next { get; set; } = 1;

    internal static byte[] Hello(uint protocol = 1, ulong epoch = 5, ulong dropped = 0) => new AgentMessage
    {
        Hello = new Hello { Protocol = protocol, AgentVersion = "4.5.6", BootId = "boot", SpoolEpoch = epoch, DroppedRecords = dropped, WallUnixMs = Start },
    }.ToByteArray();

    /// <summary>A schema whose columns are gauges with these names; a name that ends in _total is a counter with scale 1.</summary>
    internal byte[] Schema(uint id, string sampler, params string[] metrics)
    {
        Schema schema = new() { SchemaId = id, Sampler = sampler, IntervalMs = 1000 };
        foreach (string metric in metrics)
        {
            bool isCounter = metric.EndsWith("_total", StringComparison.Ordinal);
            schema.Series.Add(new SeriesDescriptor
            {
                Metric = metric,
                Kind = isCounter ? MetricKind.Counter : MetricKind.Gauge,
                Scale = isCounter ? 1U : 0U,
                Labels = { new V1.Label { Name = "device", Value = "d" } },
            });
        }

        return Schema(schema);
    }

    internal byte[] Schema(Schema schema)
    {
        _encoders[schema.SchemaId] = new BlockEncoder([.. schema.Series.Select(s => new SeriesDefinition(
            s.Metric, (ContractKind)s.Kind, s.Unit, s.Scale, s.Labels.Select(l => new ContractLabel(l.Name, l.Value))))]);
        return new AgentMessage { Schema = schema }.ToByteArray();
    }

    internal byte[] Key(params (uint Schema, double[] Values)[] blocks)
    {
        foreach (BlockEncoder encoder in _encoders.Values)
        {
            encoder.Reset();
        }

        return Make(true, Start + (long)Next * 1000, blocks);
    }

    internal byte[] Frame(params (uint Schema, double[] Values)[] blocks) => Make(false, Start + (long)Next * 1000, blocks);

    internal byte[] FrameAt(long unixMs, params (uint Schema, double[] Values)[] blocks) => Make(false, unixMs, blocks);

    internal byte[] Event(string kind) => new AgentMessage { Event = new Event { Sequence = Next++, Kind = kind, WallUnixMs = Start, Severity = Severity.Warning } }.ToByteArray();

    internal byte[] KernelEvent(string bootId, ulong kernelSequence) => new AgentMessage
    {
        Event = new Event { Sequence = Next++, Kind = "xid", WallUnixMs = Start, Severity = Severity.Error, BootId = bootId, KernelSequence = kernelSequence },
    }.ToByteArray();

    private byte[] Make(bool key, long unixMs, (uint Schema, double[] Values)[] blocks)
    {
        Frame frame = new() { Sequence = Next++, WallUnixMs = unixMs, MonotonicNs = 1, Clock = ClockQuality.Synchronised, Key = key };
        foreach ((uint schema, double[] values) in blocks)
        {
            ulong[] present = new ulong[(values.Length + 63) / 64];
            for (int i = 0; i < values.Length; i++)
            {
                present[i >> 6] |= double.IsNaN(values[i]) ? 0 : 1UL << (i & 63);
            }

            frame.Blocks.Add(new Block { SchemaId = schema, Payload = ByteString.CopyFrom(_encoders[schema].Encode(values, present)) });
        }

        return new AgentMessage { Frame = frame }.ToByteArray();
    }
}
