using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Logs;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.V1;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Spool.Durable;

/// <summary>
/// A durable spool on a simulated disk with a frame builder before it, over several lives of the agent, and everything that was ever
/// appended: what the spool gives out is compared with it.
/// </summary>
internal sealed class SpoolBench : IDisposable
{
    internal const string Directory = "/spool";

    private static readonly MetricDefinition Level = MetricDefinition.Gauge("test_level", "", 100, "Test.", "n");
    private static readonly MetricDefinition Total = MetricDefinition.Counter("test_total", "", 1, "Test.", "n");

    private readonly Random _random;
    private readonly double[] _values;
    private readonly Dictionary<ulong, ulong> _highestReadable = [];
    private FrameBuilder? _frames;

    internal SpoolBench(int seed = 1, int columns = 20)
    {
        _random = new Random(seed);
        _values = new double[columns];
        Disk = new SimulatedDisk(seed);
        for (int i = 0; i < columns; i++)
        {
            Table.Add(i % 2 == 0 ? Level : Total, new Label("n", $"{i}"));
            _values[i] = i * 100;
        }
    }

    internal SimulatedDisk Disk { get; }

    internal SimulatedTime Time { get; } = new();

    internal CapturingLogger Logs { get; } = new();

    internal SpoolPlan Plan { get; set; } = new() { Directory = Directory, Owner = "me", BootId = "boot-1", MaxBytes = 64L << 20 };

    internal DurableSpool Spool { get; private set; } = null!;

    internal SeriesTable Table { get; } = new();

    /// <summary>Every message ever appended, with its samples, by epoch and sequence.</summary>
    internal Dictionary<(ulong Epoch, ulong Sequence), (byte[] Message, int Samples, RecordKind Kind)> Appended { get; } = [];

    /// <summary>The highest sequence of the present epoch that could have been sent, in any life.</summary>
    internal ulong HighestReadable => _highestReadable.GetValueOrDefault(Spool.Epoch);

    internal SpoolBench Open()
    {
        ILogger log = Logs.CreateLogger("spool");
        Spool = DurableSpool.Open(Plan, Disk, Time, _random, new SpoolLog(new Logger<SpoolLog>(Logs), new RepeatedEventGate(log, Time)));
        _frames = new FrameBuilder(new Recorder(this));
        return this;
    }

    /// <summary>Sequences whose records were in memory only when the agent died.</summary>
    internal HashSet<ulong> DiedInMemory { get; } = [];

    /// <summary>The agent dies; what the operating system has stays.</summary>
    internal void Kill()
    {
        for (ulong sequence = Spool.DurableThrough + 1; sequence < Spool.NextSequence; sequence++)
        {
            DiedInMemory.Add(sequence);
        }

        Disk.KillProcess();
    }

    /// <summary>Forgets what died in memory: its sequences were given again, or jumped over.</summary>
    internal void ForgetUnsent(HashSet<ulong> held)
    {
        foreach ((ulong Epoch, ulong Sequence) key in Appended.Keys.Where(key => key.Sequence > HighestReadable && !held.Contains(key.Sequence)).ToList())
        {
            Appended.Remove(key);
        }
    }

    /// <summary>Sequences that are held, as they were or merged.</summary>
    internal HashSet<ulong> Represented()
    {
        HashSet<ulong> represented = [];
        Decode(onFrame: reading =>
        {
            for (uint i = 0; i < Math.Max(1, reading.Last.StandsFor); i++)
            {
                Assert.True(represented.Add(reading.Last.Sequence - i), $"{reading.Last.Sequence - i} is there twice");
            }
        }, onEvent: sequence => represented.Add(sequence));
        return represented;
    }

    /// <summary>One second: a frame, perhaps an event, and the disk thread's work.</summary>
    internal void Tick(bool pump = true, bool withEvent = false)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        for (int i = 0; i < _values.Length; i++)
        {
            _values[i] += i % 2 == 0 ? (_random.Next(200) - 100) / 100.0 : _random.Next(30);
            Table.Set(i, _values[i]);
        }

        if (_random.Next(4) == 0)
        {
            // Now and then a column has nothing to say.
            int silent = _random.Next(_values.Length);
            Table.ClearValues();
            for (int i = 0; i < _values.Length; i++)
            {
                if (i != silent)
                {
                    Table.Set(i, _values[i]);
                }
            }
        }

        if (withEvent)
        {
            Happen("something");
        }

        _frames!.Begin(Time.GetUtcNow().ToUnixTimeMilliseconds(), (ulong)(Time.GetTimestamp() * (1e9 / SimulatedTime.Frequency)), 1);
        _frames.Add("test", 1000, Table);
        _frames.End();
        if (pump)
        {
            Pump();
        }
    }

    internal void Ticks(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Tick();
        }
    }

    /// <summary>From the next frame on there is one more column.</summary>
    internal void ChangeColumns() => Table.Add(Level, new Label("n", $"more {Table.Count}"));

    internal void Happen(string text) => new Recorder(this).Append(
        Google.Protobuf.MessageExtensions.ToByteArray(new AgentMessage { Event = new Event { Sequence = Spool.NextSequence, Kind = "x", Message = text } }),
        RecordKind.Single);

    internal void Pump()
    {
        for (int i = 0; i < 1000 && Spool.Pump() == TimeSpan.Zero; i++)
        {
            // Short of room: one thing after the other.
        }

        _highestReadable[Spool.Epoch] = Math.Max(HighestReadable, Spool.ReadableThrough);
    }

    /// <summary>All that can be read from a sequence on.</summary>
    internal List<(ulong Sequence, byte[] Message)> Read(ulong from = 1)
    {
        List<(ulong, byte[])> records = [];
        byte[] buffer = new byte[16];
        for (ulong sequence = from; Spool.TryRead(ref sequence, ref buffer, out int length); sequence++)
        {
            records.Add((sequence, buffer.AsSpan(0, length).ToArray()));
        }

        return records;
    }

    /// <summary>Goes through all that can be read as a stream would, decoding every frame.</summary>
    internal FrameReading Decode(ulong from = 1, Action<FrameReading>? onFrame = null, Action<ulong>? onEvent = null)
    {
        FrameReading reading = new() { AllowsSchemasAgain = true };
        StreamSchemas told = new(Spool);
        byte[] buffer = new byte[16];
        for (ulong sequence = from; Spool.TryRead(ref sequence, ref buffer, out int length); sequence++)
        {
            ReadOnlySpan<byte> message = buffer.AsSpan(0, length);
            while (told.NextMissing(sequence, message, out byte[]? schema) is var need && need != SchemaNeed.None)
            {
                Assert.Equal(SchemaNeed.Send, need);
                reading.Take(schema);
            }

            if (AgentMessage.Parser.ParseFrom(message).BodyCase == AgentMessage.BodyOneofCase.Frame)
            {
                reading.Take(message);
                onFrame?.Invoke(reading);
            }
            else
            {
                onEvent?.Invoke(sequence);
            }
        }

        return reading;
    }

    /// <summary>Everything readable is what was appended under its sequence, in rising order.</summary>
    internal List<ulong> AssertReadsBack(ulong from = 1)
    {
        List<(ulong Sequence, byte[] Message)> records = Read(from);
        ulong previous = 0;
        foreach ((ulong sequence, byte[] message) in records)
        {
            Assert.True(sequence > previous, $"{sequence} after {previous}");
            Assert.True(Appended[(Spool.Epoch, sequence)].Message.AsSpan().SequenceEqual(message), $"record {sequence} reads back changed");
            previous = sequence;
        }

        return [.. records.Select(record => record.Sequence)];
    }

    public void Dispose() => Spool?.Dispose();

    /// <summary>Writes down what goes into the spool.</summary>
    private sealed class Recorder(SpoolBench bench) : ISpool
    {
        private DurableSpool Spool => bench.Spool;

        public ulong Epoch => Spool.Epoch;

        public uint Boot => Spool.Boot;

        public ulong NextSequence => Spool.NextSequence;

        public ulong FirstHeldSequence => Spool.FirstHeldSequence;

        public ulong ReadableThrough => Spool.ReadableThrough;

        public ulong UnacknowledgedRecords => Spool.UnacknowledgedRecords;

        public long HeldBytes => Spool.HeldBytes;

        public SpoolCounts Counts => Spool.Counts;

        public SpoolMode Mode => Spool.Mode;

        public string ModeReason => Spool.ModeReason;

        public SchemaBook Schemas => Spool.Schemas;

        public Action? OnReadable { get; set; }

        public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0)
        {
            (ulong, ulong) key = (Spool.Epoch, Spool.NextSequence);
            Assert.True(Spool.NextSequence > bench.HighestReadable, $"sequence {Spool.NextSequence} is given again, though {bench.HighestReadable} may have been sent");
            bench.Appended[key] = (message.ToArray(), samples, kind);
            return Spool.Append(message, kind, samples);
        }

        public void Acknowledge(ulong first, ulong last) => Spool.Acknowledge(first, last);

        public ulong StartAfter(ulong acknowledged) => Spool.StartAfter(acknowledged);

        public ulong LiveStart() => Spool.LiveStart();

        public bool TryRead(ref ulong sequence, ref byte[] destination, out int length) => Spool.TryRead(ref sequence, ref destination, out length);

        public bool IsInMemory(ulong sequence) => Spool.IsInMemory(sequence);

        public byte[]? FindSchema(ulong sequence, uint schemaId) => Spool.FindSchema(sequence, schemaId);
    }
}
