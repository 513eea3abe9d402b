using NodeAgent.Aggregator.Sinks;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>What goes over the wire to servers of which there is no package here: checked against strict stand-ins, not against the real ones.</summary>
public sealed class SinkShapeTests : IDisposable
{
    private const string Token = "s3cret-token==";

    private readonly string _tokenFile = Path.GetTempFileName();

    public SinkShapeTests() => File.WriteAllText(_tokenFile, Token + "\n");

    public void Dispose() => File.Delete(_tokenFile);

    [Theory]
    [InlineData("o&o 1", "b/1?")]
    [InlineData("org", "bucket")]
    public async Task LookAlikeOfInfluxdb2_TakesEverySampleWithTokenOrganisationAndBucket(string organisation, string bucket)
    {
        using StrictLookAlike server = StrictLookAlike.OfInfluxdb2(organisation, bucket, Token);
        SinkSettings settings = Settings(SinkKind.Influxdb2, server);
        (settings.Organisation, settings.Bucket, settings.TokenFile) = (organisation, bucket, _tokenFile);
        await SendAsync(server, settings);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("7:12")]
    public async Task LookAlikeOfVminsert_TakesEverySampleOfTheTenant(string tenant)
    {
        using StrictLookAlike server = StrictLookAlike.OfVminsert(tenant);
        SinkSettings settings = Settings(SinkKind.VictoriaMetricsCluster, server);
        settings.Tenant = tenant;
        await SendAsync(server, settings);
    }

    [Fact]
    public async Task LookAlikeOfInfluxdb2_WithAnotherToken_IsWaitedForAndNoLineIsBlamed()
    {
        using StrictLookAlike server = StrictLookAlike.OfInfluxdb2("org", "bucket", "another");
        SinkSettings settings = Settings(SinkKind.Influxdb2, server);
        (settings.Organisation, settings.Bucket, settings.TokenFile) = ("org", "bucket", _tokenFile);
        await using SinkBench bench = new(settings: settings);
        bench.Feed(5);
        bench.Start();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (server.Refusals.Count < 2)
        {
            Assert.True(await timer.WaitForNextTickAsync(limit.Token));
        }

        Assert.All(server.Refusals, refusal => Assert.StartsWith("401 ", refusal, StringComparison.Ordinal));
        Assert.Equal((0L, true), (bench.Sink!.Counters.DeadLetters, bench.Sink.IsFailing));
    }

    private static SinkSettings Settings(SinkKind kind, StrictLookAlike server)
    {
        SinkSettings settings = SinkBench.Default();
        (settings.Kind, settings.Url) = (kind, server.Url);
        return settings;
    }

    private static async Task SendAsync(StrictLookAlike server, SinkSettings settings)
    {
        await using SinkBench bench = new(settings: settings);
        bench.Feed(30);
        bench.Start();
        await bench.CaughtUpAsync();
        Assert.Empty(server.Refusals);
        bench.AssertPoints(server.Points);
    }
}
