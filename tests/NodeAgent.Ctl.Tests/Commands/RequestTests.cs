using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Commands;

/// <summary>What the options become in the requests.</summary>
public sealed class RequestTests
{
    [Fact]
    public async Task Query_WithARange_UsesTheAggregatorsClockNotOurs()
    {
        Bench bench = new();
        bench.Time.Advance(TimeSpan.FromDays(3));

        await bench.RunAsync(["query", "up", "--range", "1h", "--step", "30s"]);

        RangeRequest request = bench.Fleet.Last<RangeRequest>();
        Assert.Equal(SampleFleet.Now, request.EndUnixMs);
        Assert.Equal(SampleFleet.Now - 3_600_000, request.StartUnixMs);
        Assert.Equal(30_000UL, request.StepMs);
    }

    [Fact]
    public async Task Query_WithStartAndEnd_AsksExactlyThat()
    {
        Bench bench = new();

        await bench.RunAsync(["query", "up", "--start", "2026-11-21T08:00:00Z", "--end", "-10m"]);

        RangeRequest request = bench.Fleet.Last<RangeRequest>();
        Assert.Equal(SampleFleet.Now - 4_800_000, request.StartUnixMs);
        Assert.Equal(SampleFleet.Now - 600_000, request.EndUnixMs);
        Assert.Equal(0UL, request.StepMs);
    }

    [Fact]
    public async Task Query_ThatEndsBeforeItBegins_IsRefusedWithoutAsking()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["query", "up", "--start", "2026-11-21T08:00:00Z", "--end", "2026-11-21T07:00:00Z"]));
        Assert.DoesNotContain(bench.Fleet.Requests, request => request is RangeRequest);
    }

    [Theory]
    [InlineData("--top", false)]
    [InlineData("--bottom", true)]
    public async Task Query_WithTopOrBottom_AsksForThatManyInOrder(string option, bool bottom)
    {
        Bench bench = new();

        await bench.RunAsync(["query", "up", option, "5", "--at", "2026-11-21T09:00:00Z"]);

        TopKRequest request = bench.Fleet.Last<TopKRequest>();
        Assert.Equal((5U, bottom, SampleFleet.Now - 1_200_000), (request.K, request.Bottom, request.AtUnixMs));
    }

    [Fact]
    public async Task Events_WithEveryFilter_SendsThemAll()
    {
        Bench bench = new();

        await bench.RunAsync(["events", "--node", "gpu-01", "--kind", "oom_kill", "--kind", "edac", "--severity", "warning", "--since", "1h", "--limit", "7"]);

        ListEventsRequest request = bench.Fleet.Last<ListEventsRequest>();
        Assert.Equal("gpu-01", request.Node);
        Assert.Equal(["oom_kill", "edac"], request.Kinds);
        Assert.Equal(Severity.Warning, request.MinSeverity);
        Assert.Equal(SampleFleet.Now - 3_600_000, request.SinceUnixMs);
        Assert.Equal(7U, request.Limit);
        Assert.False(request.Follow);
    }

    [Fact]
    public async Task Usage_WithEveryOption_SendsThemAll()
    {
        Bench bench = new();

        await bench.RunAsync(["usage", "--from", "7d", "--to", "1h", "--by", "name", "--price", "2.10", "--idle-below", "0.1"]);

        UsageRequest request = bench.Fleet.Last<UsageRequest>();
        Assert.Equal((SampleFleet.Now - 604_800_000, SampleFleet.Now - 3_600_000), (request.FromUnixMs, request.ToUnixMs));
        Assert.Equal(("name", 2.1, 0.1), (request.By, request.GpuHourPrice, request.IdleBelowRatio));
    }

    [Fact]
    public async Task Usage_WithNothing_LeavesDefaultsToTheAggregator()
    {
        Bench bench = new();

        await bench.RunAsync(["usage"]);

        UsageRequest request = bench.Fleet.Last<UsageRequest>();
        Assert.False(request.HasFromUnixMs || request.HasToUnixMs || request.HasGpuHourPrice || request.HasIdleBelowRatio);
        Assert.Equal("", request.By);
    }

    [Theory]
    [InlineData("--price", "-1")]
    [InlineData("--price", "NaN")]
    [InlineData("--idle-below", "5%")]
    public async Task Usage_WithANumberThatIsNone_IsRefusedWithoutAsking(string option, string value)
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["usage", option, value]));
        Assert.Empty(bench.Fleet.Requests);
    }

    [Fact]
    public async Task Backup_WithAName_SendsItAndTellsHowFarItIs()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["backup", "before", "--directory", "--link"]));
        BackupRequest request = bench.Fleet.Last<BackupRequest>();
        Assert.Equal(("before", true, true), (request.Name, request.Directory, request.Linked));
        Assert.Equal("nodectl: 0 B of 3.0 GiB: writing events/0000000000000001.segment\n", bench.Errors);
    }

    [Fact]
    public async Task Watch_WithIntervalAndCount_ThinsAndEnds()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["watch", "node_load1", "--interval", "5s", "--count", "2", "-o", "jsonl"]));
        Assert.Equal(5_000U, bench.Fleet.Last<WatchRequest>().MinIntervalMs);
        Assert.Equal(2, bench.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Watch_ThatLosesSamples_SaysHowManyOnStandardError()
    {
        Bench bench = new();

        await bench.RunAsync(["watch", "node_load1", "-o", "csv"]);

        Assert.Equal("nodectl: 7 samples lost: this reader was too slow. Use --interval or a narrower selector\n", bench.Errors);
    }

    [Fact]
    public async Task Series_CutByALimit_SaysSo()
    {
        Bench bench = new();

        await bench.RunAsync(["series", "--limit", "4"]);

        bench.Fleet.Series = [new ListSeriesResponse { Series = { new SeriesEntry { Metric = "a" } }, Total = 30 }];
        await bench.RunAsync(["series", "--limit", "1"]);

        Assert.Equal("nodectl: 1 of 30 series shown. Raise --limit or narrow the selector\n", bench.Errors);
    }

    [Fact]
    public async Task Nodes_FilteredByState_KeepsOnlyThose()
    {
        Bench bench = new();

        await bench.RunAsync(["nodes", "gpu-.*", "--state", "late,down", "-o", "csv"]);

        Assert.Equal("gpu-.*", bench.Fleet.Last<ListNodesRequest>().NamePattern);
        Assert.Equal(["name", "gpu-02", "gpu-03"], bench.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')[0]));
    }

    [Fact]
    public async Task EmptyAnswers_InATable_SaySoAndInJsonAreEmptyLists()
    {
        Bench bench = new();
        bench.Fleet.Nodes = new ListNodesResponse { WallUnixMs = SampleFleet.Now };

        await bench.RunAsync(["nodes"]);
        Assert.Equal("no nodes\n", bench.Output);

        await bench.RunAsync(["nodes", "-o", "json"]);
        Assert.Contains("\"items\": []", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbose_OnAQuery_ReportsTheConnectionAndTheCost()
    {
        Bench bench = new();

        await bench.RunAsync(["query", "up", "-v"]);

        Assert.Equal(
            "nodectl: server https://127.0.0.1:7443/ (from default), identity none, configuration /nonexistent-home/.config/nodectl/config.json (absent)\n"
            + "nodectl: 3 results from 3 series and 3 samples in 210 µs\n",
            bench.Errors);
    }
}
