using NodeAgent.Contracts.Series;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Storage;
using NodeAgent.Tsdb.Tests.Query;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>
/// A durable store on a simulated disk with a write-ahead log in front of it, as the aggregator has: every row goes into the log under the
/// next id, the log forgets what the store says it need not keep, and after a crash the rest is replayed. The log never loses anything.
/// </summary>
internal sealed class LoggedStore : IRandomFleetStore, IDisposable
{
    private readonly DurableStoreOptions _options;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly Random _random;
    private readonly List<Logged> _log = [];
    private ulong _lastId;

    public LoggedStore(int seed, DurableStoreOptions? options = null)
    {
        _random = new Random(seed);
        Disk = new SimulatedDisk(seed);
        _options = options ?? new DurableStoreOptions { Directory = "/store", HasThreads = false, HeadRows = 8 + _random.Next(40) };
        Open();
    }

    public SimulatedDisk Disk { get; }

    public DurableStore Store { get; private set; } = null!;

    ITimeSeriesStore IRandomFleetStore.Store => Store;

    /// <summary>Rows that the log still has.</summary>
    public int LoggedRows => _log.Count;

    /// <summary>Chances, one in so many ticks, of a flush, a release of the log, a merge, and a restart; 0: never.</summary>
    public (int Flush, int Release, int Merge, int Restart) Chances { get; init; } = (40, 10, 80, 150);

    public void Row(SchemaHandle schema, long unixMs, double?[] values)
    {
        ulong[] present = new ulong[(values.Length + 63) / 64];
        double[] row = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            row[i] = values[i] ?? 0;
            present[i >> 6] |= values[i] is null ? 0 : 1UL << (i & 63);
        }

        SeriesDefinition[] columns = [.. schema.Series.Select(series => new SeriesDefinition(
            series.Metric, series.Kind, series.Unit, series.Scale, series.Labels.Where(label => label.Name != "node")))];
        _log.Add(new Logged(++_lastId, schema.Node, schema.Sampler, schema.IntervalMs, columns, unixMs, row, present));
        Store.Append(schema, unixMs, row, present, _lastId);
        for (int i = 0; i < row.Length; i++)
        {
            if (values[i] is { } value)
            {
                Expected[(schema.Series[i].ToString(), unixMs)] = value;
            }
        }
    }

    /// <summary>What every read must give: the last value written for each series and time.</summary>
    public Dictionary<(string Series, long UnixMs), double> Expected { get; } = [];

    /// <summary>Fails unless the store holds exactly what was written.</summary>
    public void AssertHoldsAll(string when)
    {
        using ISampleReader reader = Store.OpenReader();
        using SampleBuffer buffer = new();
        int found = 0;
        foreach (SeriesInfo series in Store.Match(Tsdb.Query.Selector.All, long.MinValue, long.MaxValue))
        {
            buffer.Clear();
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            found += buffer.Count;
            for (int i = 0; i < buffer.Count; i++)
            {
                if (!Expected.TryGetValue((series.ToString(), buffer.Times[i]), out double value)
                    || BitConverter.DoubleToInt64Bits(value) != BitConverter.DoubleToInt64Bits(buffer.Values[i]))
                {
                    Assert.Fail($"{when}: {series} at {buffer.Times[i]} is {buffer.Values[i]}, which was not what was written last");
                }
            }
        }

        Assert.True(found == Expected.Count, $"{when}: {found} samples of {Expected.Count}");
    }

    public SchemaHandle AfterTick(SchemaHandle schema, IReadOnlyList<SeriesDefinition> columns)
    {
        if (Happens(Chances.Flush))
        {
            Assert.True(Store.Flush());
        }

        if (Happens(Chances.Release))
        {
            Release();
        }

        if (Happens(Chances.Merge))
        {
            long day = Windows.StartOf(schema.NewestUnixMs + _random.Next(-100_000, 100_000), MergePlanner.DayMs);
            long window = Windows.StartOf(schema.NewestUnixMs + _random.Next(-100_000, 100_000), MergePlanner.WindowMs);
            Assert.True(Store.MergeNow(_random.Next(2) == 0
                ? new MergeJob(SegmentLevel.Day, day, day + MergePlanner.DayMs, Pack: true)
                : new MergeJob(SegmentLevel.Window, window, window + MergePlanner.WindowMs, Pack: false)));
        }

        if (!Happens(Chances.Restart))
        {
            return schema;
        }

        Restart(_random.Next(3));
        return Store.Schema(schema.Node, schema.Sampler, [.. columns]);
    }

    /// <summary>Releases what the store says need not be kept.</summary>
    public ulong Release()
    {
        ulong durable = Store.DurableThrough(_lastId);
        _log.RemoveAll(row => row.Id <= durable);
        return durable;
    }

    /// <summary>Ends the store in one of three ways (orderly, killed, power cut), opens it again and replays the log.</summary>
    public void Restart(int how)
    {
        switch (how)
        {
            case 0:
                Store.Dispose();
                break;
            case 1:
                Disk.KillProcess();
                break;
            default:
                Disk.CutPower();
                break;
        }

        Disk.Fault = null;
        Open();
        Replay();
    }

    public void Replay()
    {
        foreach (Logged row in _log)
        {
            RegisterResult result = Store.Register(row.Node, row.Sampler, row.IntervalMs, row.Columns);
            Assert.True(result.IsAccepted, result.Detail);
            Store.Append(result.Handle, row.UnixMs, row.Values, row.Present, row.Id);
        }
    }

    public void Dispose() => Store.Dispose();

    private void Open()
    {
        bool opened = DurableStore.TryOpen(_options, Disk, _time, out DurableStore? store, out Journal.OpenError? error);
        Assert.True(opened, error?.ToString());
        Store = store!;
    }

    private bool Happens(int oneIn) => oneIn > 0 && _random.Next(oneIn) == 0;

    private sealed record Logged(
        ulong Id, string Node, string Sampler, int IntervalMs, SeriesDefinition[] Columns, long UnixMs, double[] Values, ulong[] Present);
}
