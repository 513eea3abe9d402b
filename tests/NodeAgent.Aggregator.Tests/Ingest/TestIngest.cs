using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>
/// An aggregator's ingest with everything it needs, in one thread: real core and store, simulated clock and disk. It can be killed,
/// lose its power and start again on the same disk.
/// </summary>
internal sealed class TestIngest : IDisposable
{
    internal const string Directory = "/state";

    private readonly int _maxSeries;
    private IngestCore? _core;

    internal TestIngest(IngestOptions? options = null, int maxSeries = 20_000, int seed = 1, bool start = true)
    {
        _maxSeries = maxSeries;
        Disk = new SimulatedDisk(seed);
        Options = options ?? Small;
        if (start)
        {
            Start();
        }
    }

    /// <summary>Small files and buffers, so that tests come to their ends.</summary>
    internal static IngestOptions Small { get; } = new()
    {
        Directory = Directory,
        Version = "1.2.3",
        RetentionMs = 3_600_000,
        WalMaxBytes = 64L << 20,
        WalSegmentBytes = 2 << 20,
        WalPendingBytes = 4 << 20,
        RelogBytes = 64 << 10,
        QuarantineMaxBytes = 1 << 20,
        EventsMaxBytes = 1 << 20,
    };

    internal IngestOptions Options { get; set; }

    internal SimulatedDisk Disk { get; }

    internal SimulatedTime Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(AgentSide.Start));

    internal Moment Now => Moment.Of(Time);

    internal MemoryStore Store { get; private set; } = null!;

    internal FleetRegistry Fleet => Core.Fleet;

    internal EventLedger Events => Core.Events;

    internal IngestCounters Counters => Core.Counters;

    internal IngestCore Core => _core!;

    /// <summary>Starts on what the disk holds. False: it would not open.</summary>
    internal bool TryStart(out OpenError? error)
    {
        Store = new MemoryStore(new MemoryStoreOptions
        {
            Quota = new FixedSeriesQuota(_maxSeries),
            RetentionMs = Options.RetentionMs,
            MaxAheadMs = Options.MaxAheadMs + 60_000,
        });
        IngestParts parts = new(Store, new FleetRegistry(), new EventLedger(1_000), new IngestCounters());
#pragma warning disable CA5394 // Not for secrets.
        return IngestCore.TryOpen(Options, Disk, Time, new Random(Disk.Seed), parts, Now, out _core, out error);
#pragma warning restore CA5394
    }

    internal void Start()
    {
        if (!TryStart(out OpenError? error))
        {
            Assert.Fail(error!.Message);
        }
    }

    /// <summary>The process ends without a word; what it wrote stays.</summary>
    internal void Kill() => End(() => Disk.KillProcess());

    /// <summary>The power is cut: what was not synced is at the disk's mercy.</summary>
    internal void CutPower() => End(() => Disk.CutPower());

    /// <summary>An orderly stop.</summary>
    internal void Stop() => End(() => Core.Dispose());

    internal void Restart()
    {
        Stop();
        Start();
    }

    internal LinkStream Open(string node = "n1", ulong epoch = 5, Lane lane = Lane.Live, Action<Hello>? with = null)
    {
        Hello hello = AgentMessage.Parser.ParseFrom(AgentSide.Hello(epoch: epoch)).Hello;
        hello.Lane = lane;
        hello.WallUnixMs = Now.UnixMs;
        with?.Invoke(hello);
        LinkOpening opening = Core.Open(node, hello, Now);
        Assert.True(opening.Stream is not null, opening.Refusal.Detail);
        Welcome = opening.Welcome!;
        return opening.Stream;
    }

    /// <summary>Of the last stream that was opened.</summary>
    internal Welcome Welcome { get; private set; } = new();

    /// <summary>What is due on a stream now, oldest first.</summary>
    internal List<AggregatorMessage> Answers(LinkStream stream)
    {
        List<AggregatorMessage> answers = [];
        while (stream.TryNextAnswer(Now, out LinkAnswer answer))
        {
            answers.Add(answer.Message ?? new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = answer.Acknowledged } });
        }

        return answers;
    }

    /// <summary>The sequence that is acknowledged now, when the stream asks and the disk works; 0: none.</summary>
    internal ulong Acknowledged(LinkStream stream) =>
        Answers(stream).LastOrDefault(answer => answer.BodyCase == AggregatorMessage.BodyOneofCase.Acknowledge)?.Acknowledge.Sequence ?? 0;

    /// <summary>All samples of a metric as "seconds since start=value".</summary>
    internal string Samples(string metric)
    {
        SeriesSelection selection = Store.Select(Selector.Parse(metric), 0, long.MaxValue, 1_000);
        using ISampleReader reader = Store.OpenReader();
        using SampleBuffer buffer = new();
        List<string> samples = [];
        foreach (SeriesInfo series in selection.Series)
        {
            buffer.Clear();
            reader.Read(series, 0, long.MaxValue, buffer);
            for (int i = 0; i < buffer.Count; i++)
            {
                samples.Add(FormattableString.Invariant($"{(buffer.Times[i] - AgentSide.Start) / 1000.0}={buffer.Values[i]}"));
            }
        }

        return string.Join(' ', samples);
    }

    public void Dispose()
    {
        if (_core is not null)
        {
            Disk.Fault = null;
            Stop();
        }
    }

    private void End(Action how)
    {
        how();
        _core = null;
        Store.Dispose();
    }
}
