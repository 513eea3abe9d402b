using Google.Protobuf;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Frames;
using NodeAgent.Testing;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;

namespace NodeAgent.Fuzz.Targets;

/// <summary>One agent's stream, message after message (<see cref="Parts"/>), into a small store. Whatever is not taken has a reason.</summary>
internal sealed class IntakeTarget : Engine.IFuzzTarget
{
    private static readonly DateTimeOffset Start = SimulatedTime.DefaultStart;

    public string Name => "intake";

    public IReadOnlyList<byte[]> Seeds { get; } = [Stream()];

    public void Run(ReadOnlySpan<byte> input)
    {
        SimulatedTime time = new(Start);
        MemoryStore store = new(new MemoryStoreOptions { HeadRows = 8, MaxBytes = 1 << 20, Quota = new FixedSeriesQuota(50) });
        store.Maintain(Start.ToUnixTimeMilliseconds());
        FleetNode node = new("n1", Start.ToUnixTimeMilliseconds());
        RecordIntake intake = new(node, store, new EventLedger(10), new IngestCounters(), time);
        while (Parts.TryTake(ref input, out ReadOnlySpan<byte> message))
        {
            IntakeOutcome outcome = intake.Take(message);
            Invariant.Holds(outcome == IntakeOutcome.Taken || intake.Reason.Length > 0, "a refusal says why");
            if (outcome == IntakeOutcome.Broken)
            {
                break;
            }
        }

        store.Maintain(Start.ToUnixTimeMilliseconds());
    }

    private static byte[] Stream()
    {
        Contracts.Series.SeriesDefinition[] columns =
        [
            new("cpu_seconds_total", ContractKind.Counter, "seconds", 100, [new("mode", "user")]),
            new("temperature_celsius", ContractKind.Gauge, "celsius", 0, []),
        ];
        Schema schema = new() { SchemaId = 1, Sampler = "cpu", IntervalMs = 1000 };
        schema.Series.Add(columns.Select(Describe));
        BlockEncoder encoder = new(columns);
        IEnumerable<AgentMessage> frames = Enumerable.Range(1, 12).Select(i => new AgentMessage
        {
            Frame = new Frame
            {
                Sequence = (ulong)i,
                WallUnixMs = Start.ToUnixTimeMilliseconds() + (1000 * i),
                Key = i == 1,
                Blocks = { new Block { SchemaId = 1, Payload = ByteString.CopyFrom(encoder.Encode([100 + i, 36.6 * i], [0b11])) } },
            },
        });
        AgentMessage happening = new() { Event = new Event { Sequence = 13, Kind = "xid" } };
        AgentMessage inventory = new() { Inventory = new Inventory { Sequence = 14 } };
        return Parts.Join([.. ((AgentMessage[])[new() { Schema = schema }, .. frames, happening, inventory]).Select(m => m.ToByteArray())]);
    }

    private static SeriesDescriptor Describe(Contracts.Series.SeriesDefinition column)
    {
        SeriesDescriptor described = new() { Metric = column.Metric, Kind = (MetricKind)column.Kind, Scale = column.Scale, Unit = column.Unit };
        described.Labels.Add(column.Labels.Select(label => new Label { Name = label.Name, Value = label.Value }));
        return described;
    }
}
