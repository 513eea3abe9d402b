using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.Ctl.Top;

namespace NodeAgent.Ctl.Tests.Top;

public sealed class TopTests
{
    [Fact]
    public async Task Snapshot_OfAFleet_DividesBusyTimeByAllTime()
    {
        TopSnapshot snapshot = await FetchAsync();

        TopItem busy = snapshot.Items.Single(item => item.Node == "gpu-01");
        Assert.Equal(361.0 / 384, busy.CpuRatio!.Value, 9);
        Assert.Equal(0.125, busy.MemoryRatio!.Value, 9);
        TopItem silent = snapshot.Items.Single(item => item.Node == "gpu-03");
        Assert.Null(silent.CpuRatio);
        Assert.Null(silent.Load1);
    }

    [Theory]
    [InlineData(TopSort.Cpu, false, "gpu-01,gpu-02,storage-a,gpu-03")]
    [InlineData(TopSort.Cpu, true, "storage-a,gpu-02,gpu-01,gpu-03")]
    [InlineData(TopSort.Mem, false, "gpu-02,gpu-01,storage-a,gpu-03")]
    [InlineData(TopSort.Read, false, "storage-a,gpu-02,gpu-01,gpu-03")]
    [InlineData(TopSort.Pressure, false, "gpu-02,gpu-01,storage-a,gpu-03")]
    [InlineData(TopSort.Age, false, "gpu-03,gpu-02,storage-a,gpu-01")]
    [InlineData(TopSort.Name, true, "storage-a,gpu-03,gpu-02,gpu-01")]
    public async Task Order_ByAColumn_PutsNodesWithoutAValueLast(object sort, bool reversed, string expected) =>
        Assert.Equal(expected.Split(','), TopOrder.By((await FetchAsync()).Items, (TopSort)sort, reversed).Select(item => item.Node));

    [Theory]
    [InlineData(60, 12)]
    [InlineData(80, 24)]
    [InlineData(140, 30)]
    public async Task Screen_OfAnySize_IsExactlyThatManyLinesAndNeverWider(int width, int height)
    {
        TopModel model = new("aggregator.lab:7443", TimeSpan.FromSeconds(2), TopSort.Cpu, reversed: false);
        for (int i = 0; i < 30; i++) model.Arrived(await FetchAsync());

        List<string> lines = [.. TopScreen.Render(model, width, height).PlainLines()];

        Assert.Equal(height, lines.Count);
        Assert.All(lines, line => Assert.True(TextCells.Width(line) <= width, line));
        GoldenFile.Check($"top-{width}x{height}.txt", string.Join('\n', lines) + "\n");
    }

    [Fact]
    public async Task Keys_OfTheModel_SortPauseReverseAndScroll()
    {
        TopModel model = new("x", TimeSpan.FromSeconds(2), TopSort.Cpu, reversed: false);
        model.Arrived(await FetchAsync());

        model.Press(Key(ConsoleKey.RightArrow), page: 2);
        Assert.Equal(TopSort.Mem, model.Sort);
        model.Press(Key(ConsoleKey.LeftArrow), page: 2);
        model.Press(Key(ConsoleKey.LeftArrow), page: 2);
        Assert.Equal(TopSort.Name, model.Sort);
        model.Press(Key(ConsoleKey.L, 'l'), page: 2);
        Assert.Equal(TopSort.Load, model.Sort);
        model.Press(Key(ConsoleKey.Spacebar, ' '), page: 2);
        Assert.True(model.Paused);
        model.Press(Key(ConsoleKey.R, 'r'), page: 2);
        Assert.True(model.Reversed);
        model.Press(Key(ConsoleKey.PageDown), page: 2);
        model.Press(Key(ConsoleKey.PageDown), page: 2);
        Assert.Equal(2, model.Scroll);
        model.Press(Key(ConsoleKey.Home), page: 2);
        Assert.Equal(0, model.Scroll);
        model.Press(Key(ConsoleKey.Q, 'q'), page: 2);
        Assert.True(model.Finished);
    }

    [Fact]
    public async Task History_OfANodeThatLeft_IsForgotten()
    {
        TopModel model = new("x", TimeSpan.FromSeconds(2), TopSort.Cpu, reversed: false);
        TopSnapshot full = await FetchAsync();
        model.Arrived(full);
        Assert.Single(model.History("gpu-01"));

        model.Arrived(full with { Items = [.. full.Items.Skip(1)] });

        Assert.Empty(model.History("gpu-01"));
        Assert.Equal(2, model.History("gpu-02").Count);
    }

    [Fact]
    public async Task Session_UntilQ_LeavesTheTerminalAsItWas()
    {
        Bench bench = Live();
        bench.Terminal.Press(ConsoleKey.Q, 'q');

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["top"]));

        Assert.StartsWith("\e[?1049h\e[?25l", bench.Output, StringComparison.Ordinal);
        Assert.EndsWith("\e[?25h\e[?1049l", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_InterruptedBySignal_LeavesTheTerminalAsItWas()
    {
        Bench bench = Live();
        using CancellationTokenSource interrupt = new();
        await interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await bench.RunAsync(["top"], interrupt.Token));

        Assert.EndsWith("\e[?25h\e[?1049l", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_WhenTheFirstAnswerFails_EndsWithThatErrorAndTheTerminalRestored()
    {
        Bench bench = Live();
        bench.Fleet.Failure = new CtlException(ExitCode.Unavailable, "cannot list nodes", "connection refused");

        Assert.Equal(ExitCode.Unavailable, await bench.RunAsync(["top"]));

        Assert.EndsWith("\e[?25h\e[?1049l", bench.Output, StringComparison.Ordinal);
        Assert.Equal("nodectl: cannot list nodes: connection refused\n", bench.Errors);
    }

    [Fact]
    public async Task Model_AfterALaterFailure_KeepsTheOldPictureAndSaysSo()
    {
        TopModel model = new("x", TimeSpan.FromSeconds(2), TopSort.Cpu, reversed: false);
        model.Arrived(await FetchAsync());

        model.Failed("connection refused by x");

        List<string> lines = [.. TopScreen.Render(model, 100, 12).PlainLines()];
        Assert.Contains("NOT REFRESHED: connection refused by x", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Contains("gpu-01", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Top_IntoAPipe_PrintsOneTable()
    {
        Bench bench = new();
        bench.Fleet.Instant = SampleFleet.Top;

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["top"]));

        Assert.DoesNotContain('\e', bench.Output);
        Assert.Equal(5, bench.Output.TrimEnd('\n').Split('\n').Length);
    }

    private static Bench Live()
    {
        Bench bench = new Bench().AsTerminal(100);
        bench.Fleet.Instant = SampleFleet.Top;
        return bench;
    }

    private static ConsoleKeyInfo Key(ConsoleKey key, char character = '\0') => new(character, key, false, false, false);

    private static Task<TopSnapshot> FetchAsync() =>
        new TopSource(new ScriptedFleet { Instant = SampleFleet.Top }, TimeSpan.FromSeconds(15), "").FetchAsync(CancellationToken.None);
}
