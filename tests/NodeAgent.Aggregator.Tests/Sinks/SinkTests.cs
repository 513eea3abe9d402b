using System.Net;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Tests.Ingest;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>The sink on a real log, against an engine that does what engines do at their worst.</summary>
public sealed class SinkTests
{
    [Fact]
    public async Task Sink_OfEverythingThatCameIn_SendsItAsItWas()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        bench.Feed(70);
        bench.Start();
        await bench.CaughtUpAsync();
        bench.Feed(30);
        await bench.CaughtUpAsync();
        bench.AssertPoints(engine.Points);
        Assert.Equal(300, engine.Points.Count);
        Assert.Equal((300, 0, 0), (bench.Sink!.Counters.Samples, bench.Sink.Counters.UnreadableBlocks, bench.Sink.Counters.SkippedRecords));
        Assert.All(engine.Requests, request =>
        {
            Assert.Equal("http://engine:1/write?precision=ms", request.RequestUri!.AbsoluteUri);
            Assert.Equal("gzip", Assert.Single(request.Content!.Headers.ContentEncoding));
        });
    }

    [Fact]
    public async Task Sink_StoppedAndStarted_GoesOnWhereItWas()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        bench.Feed(33);
        bench.Start();
        await bench.CaughtUpAsync();
        await bench.StopAsync();
        bench.Feed(33); // deltas that lean on a key frame which was sent before
        bench.Start();
        await bench.CaughtUpAsync();
        Assert.Equal(198, engine.Points.Count);
        bench.AssertPoints(engine.Points);
    }

    [Fact]
    public async Task Sink_AfterAKillOfTheAggregator_LosesNothing()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        bench.Feed(25);
        bench.Start();
        await bench.CaughtUpAsync();
        await bench.StopAsync();
        bench.Feed(25);
        bench.Ingest.Kill();
        bench.Ingest.Start();
        bench.Reconnect();
        bench.Feed(10);
        bench.Start();
        await bench.CaughtUpAsync();
        bench.AssertPoints(engine.Points);
    }

    [Fact]
    public async Task Engine_ThatIsAwayForAWhile_GetsEverythingAfterwards()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        int failures = 0;
        engine.Answer = _ => failures++ < 3 ? ScriptedEngine.Status(HttpStatusCode.ServiceUnavailable, "starting") : null;
        bench.Feed(40);
        bench.Start();
        await bench.CaughtUpAsync();
        bench.AssertPoints(engine.Points);
        Assert.Equal(3, bench.Sink!.Counters.Retries);
        bench.Log.Single("SinkFails");
        bench.Log.Single("SinkWorks");
    }

    [Fact]
    public async Task Engine_ThatRefusesSomeLines_GetsAllOthers()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        engine.Answer = points => points.Any(point => point is { Measurement: "temp", UnixMs: AgentSide.Start + 7_000 or AgentSide.Start + 9_000 })
            ? ScriptedEngine.Status(HttpStatusCode.BadRequest, "field type conflict")
            : null;
        bench.Feed(20);
        bench.Start();
        await bench.CaughtUpAsync();
        Assert.Equal((2, 0), (bench.Sink!.Counters.DeadLetters, bench.Sink.Counters.DeadLettersLost));
        Assert.Equal(58, engine.Points.Count);
        Assert.Equal(58, bench.Sink.Counters.Samples);
        Assert.Contains("field type conflict", bench.Log.Single("SinkDeadLetters").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Engine_ThatTakesLittleAtOnce_GetsItInPieces()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        engine.Answer = points => points.Count > 10 ? ScriptedEngine.Status(HttpStatusCode.RequestEntityTooLarge) : null;
        bench.Feed(40);
        bench.Start();
        await bench.CaughtUpAsync();
        bench.AssertPoints(engine.Points);
        Assert.Equal(0, bench.Sink!.Counters.DeadLetters);
    }

    [Fact]
    public async Task Database_ThatIsMissing_IsWaitedForAndNoLineIsBlamed()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        int failures = 0;
        engine.Answer = _ => failures++ < 2 ? ScriptedEngine.Status(HttpStatusCode.NotFound, "database not found") : null;
        bench.Feed(10);
        bench.Start();
        await bench.CaughtUpAsync();
        bench.AssertPoints(engine.Points);
        Assert.Equal(0, bench.Sink!.Counters.DeadLetters);
    }

    [Fact]
    public async Task Log_WhileTheEngineIsAway_IsKeptUpToItsSizeAndTheRestIsCounted()
    {
        using ScriptedEngine engine = new();
        IngestOptions options = TestIngest.Small with { WalSegmentBytes = 128 << 10, RelogBytes = 16 << 10, WalReaderBytes = 512 << 10, WalMaxBytes = 64 << 20, RetentionMs = 60_000 };
        await using SinkBench bench = new(engine, options);
        bool isAway = true;
        engine.Answer = _ => isAway ? ScriptedEngine.Status(HttpStatusCode.ServiceUnavailable) : null;
        bench.Feed(1);
        bench.Start();
        await engine.UntilAsync(() => engine.Requests.Count > 0);
        for (int i = 0; i < 100; i++)
        {
            bench.Feed(60);
            bench.Ingest.Core.Maintain(bench.Ingest.Now);
        }

        Assert.True(bench.Ingest.Core.Wal.Status().FirstHeldId == 1, "the log is small enough to be kept, though its records are old");
        for (int i = 0; i < 300; i++)
        {
            bench.Feed(60);
            bench.Ingest.Core.Maintain(bench.Ingest.Now);
        }

        Assert.InRange(bench.Ingest.Core.Wal.Status().DiskBytes, 256 << 10, 1 << 20);
        ulong firstHeld = bench.Ingest.Core.Wal.Status().FirstHeldId;
        Assert.True(firstHeld > 1);
        isAway = false;
        await bench.CaughtUpAsync();
        Assert.InRange(bench.Sink!.Counters.SkippedRecords, (long)firstHeld / 2, (long)firstHeld + 400);
        long newest = engine.Points.Max(point => point.UnixMs);
        Assert.Equal(AgentSide.Start + (bench.Fed * 1000L), newest);
        Assert.NotEmpty(bench.Log.Named("SinkSkipped"));
    }

    [Fact]
    public async Task Destination_ThatChanges_GetsWhatTheLogHas()
    {
        using ScriptedEngine engine = new();
        await using SinkBench bench = new(engine);
        bench.Feed(10);
        bench.Start();
        await bench.CaughtUpAsync();
        await bench.StopAsync();
        bench.Settings.Url = new Uri("http://another:1");
        bench.Start();
        await bench.CaughtUpAsync();
        Assert.Equal(60, engine.Points.Count);
        bench.AssertPoints(engine.Points);
    }

    [Theory]
    [InlineData(SinkKind.VictoriaMetrics, "http://h:1/write?precision=ms")]
    [InlineData(SinkKind.VictoriaMetricsCluster, "http://h:1/insert/7:2/influx/write?precision=ms")]
    [InlineData(SinkKind.Influxdb1, "http://h:1/write?db=a%20b&precision=ms")]
    [InlineData(SinkKind.Influxdb2, "http://h:1/api/v2/write?org=o%26o&bucket=b%2F1&precision=ms")]
    public void Address_OfEachKind_IsWhatItsDocumentationSays(object kind, string address) => Assert.Equal(address, SinkEndpoint.UriOf(new SinkSettings
    {
        Kind = (SinkKind)kind, Url = new Uri("http://h:1/"), Tenant = "7:2", Database = "a b", Organisation = "o&o", Bucket = "b/1",
    }).AbsoluteUri);

    [Theory]
    [InlineData(204, SinkVerdict.Taken)]
    [InlineData(400, SinkVerdict.Bad)]
    [InlineData(422, SinkVerdict.Bad)]
    [InlineData(413, SinkVerdict.TooLarge)]
    [InlineData(429, SinkVerdict.Later)]
    [InlineData(500, SinkVerdict.Later)]
    [InlineData(503, SinkVerdict.Later)]
    [InlineData(401, SinkVerdict.Misconfigured)]
    [InlineData(404, SinkVerdict.Misconfigured)]
    [InlineData(302, SinkVerdict.Misconfigured)]
    public void Status_OfAnAnswer_SaysWhoIsToBlame(int status, object verdict) => Assert.Equal((SinkVerdict)verdict, SinkEndpoint.VerdictOf((HttpStatusCode)status));

    [Fact]
    public void Waits_BetweenAttempts_AreAnywhereUpToABoundThatGrows()
    {
        SinkSender sender = new(null!, new SinkCounters(), null!, TimeProvider.System, new Random(1), (_, _) => { });
        for (int attempt = 0; attempt < 12; attempt++)
        {
            TimeSpan bound = TimeSpan.FromMilliseconds(Math.Min(30_000, 500 * Math.Pow(2, attempt)));
            TimeSpan[] waits = [.. Enumerable.Range(0, 400).Select(_ => sender.WaitOf(attempt, null))];
            Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.Zero, bound));
            Assert.True(waits.Max() > bound * 0.9 && waits.Min() < bound * 0.1, "jitter is full");
        }

        Assert.InRange(sender.WaitOf(0, TimeSpan.FromSeconds(7)), TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7.5));
        Assert.InRange(sender.WaitOf(0, TimeSpan.FromDays(1)), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.01));
    }

    [Theory]
    [InlineData("a\nb\n", 2)]
    [InlineData("aaaaaaaa\nb\n", 9)]
    [InlineData("b\naaaaaaaa\n", 2)]
    [InlineData("aaaa\n", 0)]
    [InlineData("", 0)]
    public void Middle_OfLines_IsBehindALineBreakOrNowhere(string lines, int middle) =>
        Assert.Equal(middle, SinkSender.MiddleOf(System.Text.Encoding.ASCII.GetBytes(lines)));
}
