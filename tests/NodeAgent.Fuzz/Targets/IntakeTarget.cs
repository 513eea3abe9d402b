using Google.Protobuf;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Frames;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;

namespace NodeAgent.Fuzz.Targets;

/// <summary>One agent's stream, message after message (<see cref="Parts"/>), into a small store. Whatever is not taken has a reason.</summary>
internal sealed class IntakeTarget : Engine.IFuzzTarget
{
    private static readonly DateTimeOffset Start = SimulatedTime.DefaultStart;

    private static readonly IngestOptions Options = new()
    {
        Directory = "/state",
        WalSegmentBytes = 1 << 20,
        WalPendingBytes = 8 << 20,
        QuarantineMaxBytes = 1 << 20,
        EventsMaxBytes = 1 << 20,
    };

    public string Name => "intake";

    public IReadOnlyList<byte[]> Seeds { get; } = [Stream()];

    public void Run(ReadOnlySpan<byte> input)
    {
        SimulatedTime time = new(Start);
        using MemoryStore store = new(new MemoryStoreOptions { HeadRows = 8, MaxBytes = 1 << 20, Quota = new FixedSeriesQuota(50) });
        IngestParts parts = new(store, new FleetRegistry(), new EventLedger(10), new IngestCounters());
#pragma warning disable CA5394 // Not for secrets.
        bool isOpen = IngestCore.TryOpen(Options, new SimulatedDisk(1), time, new Random(1), parts, Moment.Of(time), out IngestCore? core, out _);
#pragma warning restore CA5394
        Invariant.Holds(isOpen, "an empty disk opens");
        LinkStream stream = core!.Open("n1", new Hello { Protocol = IngestCore.Protocol, SpoolEpoch = 7 }, Moment.Of(time)).Stream!;
        while (Parts.TryTake(ref input, out ReadOnlySpan<byte> message))
        {
            IntakeOutcome outcome = stream.Take(message, Moment.Of(time));
            Invariant.Holds(outcome == IntakeOutcome.Taken || stream.Reason.Length > 0, "a refusal says why");
            Invariant.Holds((outcome is IntakeOutcome.Taken or IntakeOutcome.Rejected) == (stream.End is null), "a stream goes on exactly when the message was taken or set aside");
            if (stream.End is not null)
            {
                break;
            }
        }

        core.Commit();
        while (stream.TryNextAnswer(Moment.Of(time), out _))
        {
        }

        core.Maintain(Moment.Of(time));
        core.Dispose();
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
