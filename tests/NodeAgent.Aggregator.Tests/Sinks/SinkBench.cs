using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Testing;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>An aggregator's ingest on a simulated disk, an agent that feeds it, and a sink on it that can be stopped and started.</summary>
internal sealed class SinkBench : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly HttpMessageHandler? _handler;
    private LinkStream _stream;
    private AgentSide _agent = new();

    internal SinkBench(HttpMessageHandler? handler = null, IngestOptions? options = null, SinkSettings? settings = null)
    {
        _handler = handler;
        _http = handler is null ? Aggregator.Sinks.Sink.Client(settings ?? Default()) : new HttpClient(handler, disposeHandler: false) { Timeout = TimeSpan.FromSeconds(5) };
        Settings = settings ?? Default();
        Ingest = new TestIngest(options);
        _stream = Ingest.Open();
        Taken(_agent.Schema(1, "s", "temp_celsius", "sent_bytes_total", "up"));
    }

    internal TestIngest Ingest { get; }

    internal SinkSettings Settings { get; }

    internal Sink? Sink { get; private set; }

    internal CapturingLogger Log { get; } = new();

    /// <summary>Frames fed so far.</summary>
    internal int Fed { get; private set; }

    internal static SinkSettings Default() => new() { Kind = SinkKind.VictoriaMetrics, Url = new Uri("http://engine:1"), BatchInterval = TimeSpan.FromMilliseconds(10) };

    /// <summary>Seconds of three samples each; the first is a key frame, as every twentieth.</summary>
    internal void Feed(int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            double[] row = [20 + (Fed % 50) + 0.25, Fed * 1000, 1];
            Taken(Fed % 20 == 0 ? _agent.Key((1, row)) : _agent.Frame((1, row)));
            Fed++;
            Ingest.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(Ingest.Core.Commit());
    }

    /// <summary>The agent comes again, as after a restart of the aggregator.</summary>
    internal void Reconnect()
    {
        ulong next = _agent.Next;
        _stream = Ingest.Open();
        _agent = new AgentSide { Next = next };
        Taken(_agent.Schema(1, "s", "temp_celsius", "sent_bytes_total", "up"));
    }

    internal void Start()
    {
        Sink = Aggregator.Sinks.Sink.TryOpen(Settings, new SinkParts(Ingest.Core, 1_000, Ingest.Disk, _http, TimeProvider.System, new Random(1), Log));
        Assert.NotNull(Sink);
        Sink.Start();
    }

    internal async Task StopAsync()
    {
        if (Sink is not null)
        {
            await Sink.DisposeAsync();
        }

        Sink = null;
    }

    /// <summary>Until the cursor has reached the log's end.</summary>
    internal async Task CaughtUpAsync()
    {
        ulong end = Ingest.Core.Wal.DurableId;
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        while (Sink!.SentThrough < end)
        {
            Assert.True(await timer.WaitForNextTickAsync(limit.Token));
        }
    }

    /// <summary>Fails unless these are the points of all frames from one on, each at least once and as they were fed.</summary>
    internal void AssertPoints(IEnumerable<LinePoint> points, int fromFrame = 0, int? toFrame = null)
    {
        HashSet<LinePoint> found = [.. points];
        HashSet<LinePoint> expected = [];
        for (int i = fromFrame; i < (toFrame ?? Fed); i++)
        {
            long time = AgentSide.Start + ((i + 1) * 1000L);
            expected.Add(new LinePoint("temp", "device=d,node=n1", "celsius", 20 + (i % 50) + 0.25, time));
            expected.Add(new LinePoint("sent", "device=d,node=n1", "bytes_total", i * 1000, time));
            expected.Add(new LinePoint("up", "device=d,node=n1", "value", 1, time));
        }

        Assert.Empty(expected.Except(found));
        Assert.Empty(found.Except(expected));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Ingest.Dispose();
        _http.Dispose();
        _handler?.Dispose();
    }

    private void Taken(byte[] message) => Assert.Equal((IntakeOutcome.Taken, ""), (_stream.Take(message, Ingest.Now), _stream.Reason));
}
