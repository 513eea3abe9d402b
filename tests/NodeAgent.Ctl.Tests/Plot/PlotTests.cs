using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Tests.Plot;

public sealed class PlotTests
{
    [Fact]
    public void Sparkline_OfARamp_RisesFromTheLowestToTheHighestBlock() =>
        Assert.Equal("▁▂▃▄▅▆▇█", Sparkline.Render([0, 1, 2, 3, 4, 5, 6, 7], 8));

    [Fact]
    public void Sparkline_WithAHole_LeavesItEmpty() => Assert.Equal("▁ █", Sparkline.Render([1, null, 2], 3));

    [Fact]
    public void Sparkline_OfAFlatLine_LiesAtTheBottom() => Assert.Equal("▁▁▁", Sparkline.Render([5, 5, 5], 3));

    [Fact]
    public void Sparkline_OfMoreValuesThanCells_AveragesThem() => Assert.Equal("▁█", Sparkline.Render([0, 0, 0, 9, 9, 9], 2));

    [Fact]
    public void Sparkline_OfFewerValuesThanCells_StaysShort() => Assert.Equal("▁█", Sparkline.Render([0, 9], 40));

    [Fact]
    public void Sparkline_OfNothing_IsEmpty() => Assert.Equal("", Sparkline.Render([], 10));

    [Theory]
    [InlineData(0, "    ")]
    [InlineData(0.5, "██  ")]
    [InlineData(0.59375, "██▍ ")]
    [InlineData(1, "████")]
    [InlineData(7, "████")]
    [InlineData(-1, "    ")]
    [InlineData(double.NaN, "    ")]
    public void Bar_OfAShare_FillsThatMuch(double share, string expected) => Assert.Equal(expected, Bar.Render(share, 4));

    [Theory]
    [InlineData(0, 100, 5, false, 0, 100, 50)]
    [InlineData(0.2, 0.9, 5, false, 0, 1, 0.5)]
    [InlineData(95, 100, 6, false, 95, 100, 1)]
    [InlineData(7, 7, 5, false, 6, 8, 0.5)]
    [InlineData(0, 0, 5, false, 0, 1, 0.5)]
    [InlineData(0, 3_000_000_000, 4, true, 0, 3_221_225_472, 1_073_741_824)]
    public void Axis_AroundValues_HasRoundMarks(double low, double high, int marks, bool binary, double expectedLow, double expectedHigh, double step)
    {
        Axis axis = Axis.Around(low, high, marks, binary);

        Assert.True(axis.Low <= low && axis.High >= high);
        Assert.Equal((expectedLow, expectedHigh, step), (Math.Round(axis.Low, 9), Math.Round(axis.High, 9), axis.Step));
    }

    [Fact]
    public void Canvas_WithADiagonal_HasTheDotsOfUnicodesPatterns()
    {
        BrailleCanvas canvas = new(2, 1);

        canvas.Line(0, 3, 3, 0, owner: 0);

        Assert.Equal("⡠⠊", $"{canvas.CharacterAt(0, 0)}{canvas.CharacterAt(1, 0)}");
    }

    [Fact]
    public void Canvas_OutsideOfItself_DrawsNothing()
    {
        BrailleCanvas canvas = new(1, 1);

        canvas.Dot(-1, 0, 0);
        canvas.Dot(0, 4, 0);
        canvas.Dot(2, 0, 0);

        Assert.Equal(' ', canvas.CharacterAt(0, 0));
    }

    [Theory]
    [InlineData(60, 16)]
    [InlineData(80, 24)]
    [InlineData(140, 40)]
    public async Task Plot_InATerminal_FillsItAndIsAsAgreed(int width, int height)
    {
        Bench bench = new Bench().AsTerminal(width, height);

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["query", "node_memory_MemAvailable_bytes", "--plot", "--no-color"]));

        string[] lines = bench.Output.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length < height, $"{lines.Length} lines scroll a terminal of {height}");
        Assert.All(lines, line => Assert.True(TextCells.Width(line) <= width, line));
        GoldenFile.Check($"plot-{width}x{height}.txt", bench.Output);
    }

    [Fact]
    public void Plot_OfOneValue_DrawsIt()
    {
        RangeItem item = new("up", new Dictionary<string, string>(), "", null, HandTime.StartUnixMs, 1_000, [1]);

        StyledLines lines = RangePlot.Render("up", [item], 60, 16, colour: false);

        Assert.Contains(lines.PlainLines(), line => line.Any(c => c is > '\u2800' and < '\u2900'));
    }

    [Fact]
    public void Plot_OfOnlyHoles_SaysSo()
    {
        RangeItem item = new("up", new Dictionary<string, string>(), "", null, HandTime.StartUnixMs, 1_000, [null, null]);

        Assert.Contains("no values in this range", RangePlot.Render("up", [item], 60, 16, colour: false).PlainLines());
    }

    [Fact]
    public void Plot_OfManySeries_CountsThoseItDoesNotDraw()
    {
        RangeItem[] items = [.. Enumerable.Range(0, 9).Select(i => new RangeItem("up", new Dictionary<string, string> { ["node"] = $"n{i}" }, "", null, HandTime.StartUnixMs, 1_000, [i, i + 1]))];

        Assert.Contains("   and 3 more that are not drawn; narrow the selector", RangePlot.Render("up", items, 60, 24, colour: false).PlainLines());
    }
}
