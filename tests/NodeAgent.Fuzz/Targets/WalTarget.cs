using System.Buffers;
using Google.Protobuf;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// Records of a write-ahead log (<see cref="Parts"/>, the first byte of each its type), read back at a start. Whatever they say, the
/// aggregator starts, and what it makes of them is the same the second time.
/// </summary>
internal sealed class WalTarget : Engine.IFuzzTarget
{
    private static readonly IngestOptions Options = new()
    {
        Directory = "/state",
        WalSegmentBytes = 1 << 20,
        WalPendingBytes = 8 << 20,
        QuarantineMaxBytes = 1 << 20,
        EventsMaxBytes = 1 << 20,
    };

    public string Name => "wal";

    public IReadOnlyList<byte[]> Seeds { get; } = [Log()];

    public void Run(ReadOnlySpan<byte> input)
    {
        SimulatedDisk disk = new(1);
        IngestCore core = Open(disk);
        while (Parts.TryTake(ref input, out ReadOnlySpan<byte> record))
        {
            if (!record.IsEmpty)
            {
                core.Wal.Append((WalRecordType)record[0], record[1..]);
            }
        }

        Invariant.Holds(core.Commit(), "a healthy disk commits");
        Follow(core);
        core.Dispose();
        core.Store.Dispose();
        string first = Restart(disk);
        Invariant.Holds(Restart(disk) == first, "a log leads to one state");
    }

    // The sink reads the same records: what it makes of them is line protocol, whatever they say.
    private static void Follow(IngestCore core)
    {
        ArrayBufferWriter<byte> lines = new();
        long samples = 0;
        using LogFollower follower = new(core.Wal, 0, Options, 50, new SinkCounters());
        while (follower.TryTake(lines, out int more))
        {
            samples += more;
        }

        Invariant.Holds(LineLayout.CountSamples(lines.WrittenSpan) == samples, "lines have the samples that were counted");
        Invariant.Holds(follower.LookedAt == core.Wal.LastId, "the sink comes to the end of the log");
    }

    private static string Restart(SimulatedDisk disk)
    {
        IngestCore core = Open(disk);
        string state = string.Join(';', core.Nodes.OrderBy(intake => intake.Node.Name, StringComparer.Ordinal).Select(Describe))
            + core.Store.Stats().SamplesTotal + "/" + core.Counters.ReplaySkipped;
        core.Maintain(new Moment(0, 0));
        core.Dispose();
        core.Store.Dispose();
        return state;
    }

    private static string Describe(NodeIntake intake) =>
        $"{intake.Node.Name}:{string.Join(',', intake.Epochs.Select(held => $"{held.Epoch}={string.Join(' ', held.Received.Ranges.ToArray())}"))}";

    private static IngestCore Open(SimulatedDisk disk)
    {
        SimulatedTime time = new();
        MemoryStore store = new(new MemoryStoreOptions { HeadRows = 8, MaxBytes = 1 << 20, Quota = new FixedSeriesQuota(50) });
        IngestParts parts = new(store, new FleetRegistry(), new EventLedger(10), new IngestCounters());
#pragma warning disable CA5394 // Not for secrets.
        bool isOpen = IngestCore.TryOpen(Options, disk, time, new Random(1), parts, Moment.Of(time), out IngestCore? core, out _);
#pragma warning restore CA5394
        Invariant.Holds(isOpen, "a sound disk opens");
        return core!;
    }

    // A stream with a schema, a frame and an event, as the aggregator itself logs them, and the node's state after them.
    private static byte[] Log()
    {
        IngestCore core = Open(new SimulatedDisk(1));
        LinkStream stream = core.Open("n1", new Hello { Protocol = IngestCore.Protocol, SpoolEpoch = 7 }, new Moment(1_795_000_000_000, 0)).Stream!;
        Schema schema = new() { SchemaId = 1, Sampler = "s", Series = { new SeriesDescriptor { Metric = "a", Kind = MetricKind.Gauge } } };
        AgentMessage[] messages =
        [
            new() { Schema = schema },
            new() { Event = new Event { Sequence = 1, Kind = "xid", BootId = "b", KernelSequence = 4 } },
            new() { Inventory = new Inventory { Sequence = 2, HostName = "h" } },
            new() { Frame = new Frame { Sequence = 3, Key = true, WallUnixMs = 1_795_000_000_000, Blocks = { new Block { SchemaId = 1, Payload = ByteString.CopyFrom(1, 0) } } } },
        ];
        List<byte[]> records = [[(byte)WalRecordType.Open, .. new WalOpening("n1", 1_795_000_000_000, stream.Hello).ToBytes()]];
        byte[] header = new byte[WalMessageHeader.MaxBytes];
        foreach (AgentMessage message in messages)
        {
            stream.Take(message.ToByteArray(), new Moment(1_795_000_000_000, 0));
            int length = new WalMessageHeader(1, WalMessageFlags.Corrected, 1_795_000_000_000, 5).WriteTo(header);
            records.Add([(byte)WalRecordType.Message, .. header.AsSpan(0, length), .. message.ToByteArray()]);
        }

        System.Buffers.ArrayBufferWriter<byte> state = new();
        NodeStateRecord.Write(stream.Intake, state);
        records.Add([(byte)WalRecordType.Node, .. state.WrittenSpan]);
        records.Add([(byte)WalRecordType.SetAside, 1, 4, 6]);
        core.Dispose();
        core.Store.Dispose();
        return Parts.Join([.. records]);
    }
}
