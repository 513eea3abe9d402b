using Label = NodeAgent.Contracts.Series.Label;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Spool;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Frames;

public sealed class FrameBuilderTests
{
    private static readonly MetricDefinition Bytes = MetricDefinition.Counter("test_bytes_total", "bytes", 1, "Test.", "device");
    private static readonly MetricDefinition Ratio = MetricDefinition.Gauge("test_ratio", "ratio", 0, "Test.");

    private readonly MemorySpool _spool = new(7, 8 << 20);
    private readonly FrameBuilder _frames;
    private readonly FrameReading _reading = new();
    private byte[] _buffer = new byte[1024];
    private ulong _next = 1;
    private readonly StreamSchemas _told;

    public FrameBuilderTests()
    {
        _frames = new FrameBuilder(_spool);
        _told = new StreamSchemas(_spool);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Frames_RandomValuesAndColumns_DecodeToTheSame(int seed)
    {
        Random random = new(seed);
        SeriesTable fast = Table(20);
        SeriesTable slow = Table(70);
        Dictionary<string, double[]> expected = [];
        for (int tick = 0; tick < 300; tick++)
        {
            long wall = 1_700_000_000_000 + tick * 1000;
            expected.Clear();
            if (random.Next(40) == 0)
            {
                fast.Rebuild();
                Fill(fast, random.Next(1, 130));
            }

            _frames.Begin(wall, (ulong)tick * 1_000_000_007, (uint)(tick % 4));
            expected["fast"] = Add("fast", 1000, fast, random);
            if (tick % 7 == 0)
            {
                expected["slow"] = Add("slow", 7000, slow, random);
            }

            _frames.End();
            Read();
            Assert.Equal((_spool.NextSequence - 1, wall, (ulong)tick * 1_000_000_007, (ClockQuality)(tick % 4)),
                (_reading.Last.Sequence, _reading.Last.WallUnixMs, _reading.Last.MonotonicNs, _reading.Last.Clock));
            Assert.Equal(tick % FrameBuilder.FramesPerKey == 0, _reading.Last.Key);
            Assert.Equal(expected.Keys.Order(), _reading.Values.Keys.Order());
            Assert.All(expected, pair => Assert.Equal(pair.Value, _reading.Values[pair.Key]));
        }
    }

    [Fact]
    public void Frames_SchemaMessage_SaysWhatTheColumnsAre()
    {
        SeriesTable table = new();
        table.Add(Bytes, new Label("device", "eth0"));
        table.Add(Ratio);
        Tick(table, 1, 2);
        Schema schema = _reading.SchemaOf("sampler");
        Assert.Equal((1U, 1000U), (schema.SchemaId, schema.IntervalMs));
        Assert.Equal(
            ["test_bytes_total Counter bytes 1 device=eth0", "test_ratio Gauge ratio 0 "],
            schema.Series.Select(s => $"{s.Metric} {s.Kind} {s.Unit} {s.Scale} {string.Join(",", s.Labels.Select(l => $"{l.Name}={l.Value}"))}"));
    }

    [Fact]
    public void Add_ColumnsChanged_RegistersANewSchemaFromThisSequenceOn()
    {
        SeriesTable table = Table(1);
        Tick(table, 1);
        Tick(table, 2);
        table.Add(Bytes, new Label("device", "more"));
        Tick(table, 3, 4);
        Assert.Equal([3.0, 4.0], _reading.Values["sampler"]);
        Assert.Equal(2U, _reading.SchemaOf("sampler").SchemaId);
        Assert.Equal(2, _spool.Schemas.Count);
        List<BookedSchema> used = [];
        _spool.Schemas.CopyUsedAt(2, used);
        Assert.Equal(1U, Assert.Single(used).Id);
        used.Clear();
        _spool.Schemas.CopyFirstUsedAt(3, used);
        Assert.Equal(2U, Assert.Single(used).Id);
        _spool.Schemas.Release(2);
        Assert.Equal(2, _spool.Schemas.Count);
        _spool.Schemas.Release(3);
        Assert.Equal(1, _spool.Schemas.Count);
    }

    [Fact]
    public void End_NothingAdded_SendsNothingAndKeepsTheRhythmOfKeys()
    {
        SeriesTable table = Table(1);
        _frames.Begin(1, 1, 0);
        _frames.Add("empty", 1000, new SeriesTable());
        _frames.End();
        Assert.Equal(1UL, _spool.NextSequence);
        for (int i = 0; i < FrameBuilder.FramesPerKey; i++)
        {
            Tick(table, i);
            Assert.Equal(i == 0, _reading.Last.Key);
            _frames.Begin(1, 1, 0);
            _frames.End();
        }

        Tick(table, 1);
        Assert.True(_reading.Last.Key);
    }

    [Fact]
    public void Begin_FormerFrameWasNeverEnded_StartsAKeyFrame()
    {
        SeriesTable table = Table(1);
        Tick(table, 1);

        // A tick that threw between Add and End: its values moved the encoders, and no reader will ever see them.
        table.Set(0, 1_000_000);
        _frames.Begin(1, 1, 0);
        _frames.Add("sampler", 1000, table);

        Tick(table, 5);
        Assert.Equal([5.0], _reading.Values["sampler"]);
        Assert.True(_reading.Last.Key);
    }

    [Fact]
    public void End_RecordTooLargeForTheSpool_MakesTheNextOneAKeyFrame()
    {
        MemorySpool small = new(7, 0);
        FrameBuilder frames = new(small);
        SeriesTable one = Table(1);
        SeriesTable huge = Table(40_000);
        Send(one);
        Send(one);
        Assert.False(frames.IsKey);
        for (int i = 0; i < huge.Count; i++)
        {
            huge.Set(i, 1e15 / (i + 3) % 9e15);
        }

        Send(huge);
        Assert.Equal(1UL, small.Counts.DroppedRecords);
        Send(one);
        Assert.True(frames.IsKey);

        void Send(SeriesTable table)
        {
            frames.Begin(1, 1, 0);
            frames.Add("x", 1000, table);
            frames.End();
        }
    }

    [Fact]
    public void Frames_SteadyColumns_AllocateNothing()
    {
        SeriesTable table = Table(400);
        Run(500);
        Assert.Equal(0, Allocations.Of(() => Run(500)));

        void Run(int ticks)
        {
            for (int tick = 0; tick < ticks; tick++)
            {
                for (int i = 0; i < table.Count; i++)
                {
                    table.Set(i, tick * i);
                }

                _frames.Begin(tick, 1, 0);
                _frames.Add("sampler", 1000, table);
                _frames.End();
                _spool.Acknowledge(1, _spool.NextSequence - 1);
            }
        }
    }

    private static SeriesTable Table(int columns)
    {
        SeriesTable table = new();
        Fill(table, columns);
        return table;
    }

    private static void Fill(SeriesTable table, int columns)
    {
        for (int i = 0; i < columns; i++)
        {
            table.Add(i % 3 == 2 ? Ratio : Bytes, new Label("device", $"d{i}"));
        }
    }

    private void Tick(SeriesTable table, params double[] values)
    {
        table.ClearValues();
        for (int i = 0; i < values.Length; i++)
        {
            table.Set(i, values[i]);
        }

        _frames.Begin(1, 1, 0);
        _frames.Add("sampler", 1000, table);
        _frames.End();
        Read();
    }

    private double[] Add(string sampler, uint intervalMs, SeriesTable table, Random random)
    {
        double[] values = new double[table.Count];
        Array.Fill(values, double.NaN);
        table.ClearValues();
        for (int i = 0; i < values.Length; i++)
        {
            if (random.Next(10) > 0)
            {
                values[i] = i % 3 == 2 ? random.NextDouble() : random.Next(3) == 0 ? double.PositiveInfinity : random.NextInt64(1L << 50);
                table.Set(i, values[i]);
            }
        }

        _frames.Add(sampler, intervalMs, table);
        return values;
    }

    private void Read()
    {
        while (_spool.TryRead(ref _next, ref _buffer, out int length))
        {
            while (_told.NextMissing(_next, _buffer.AsSpan(0, length), out byte[]? schema) == SchemaNeed.Send)
            {
                _reading.Take(schema);
            }

            _reading.Take(_buffer.AsSpan(0, length));
            _next++;
        }
    }
}
