using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Commands;

/// <summary>Every command in every format, frozen: JSON is a promise to scripts, tables are what people see.</summary>
public sealed class FormatTests
{
    private static readonly Dictionary<string, string[]> CommandLines = new()
    {
        ["nodes"] = ["nodes"],
        ["node"] = ["node", "gpu-01"],
        ["node-without-inventory"] = ["node", "gpu-03"],
        ["series"] = ["series"],
        ["query"] = ["query", "node_load1"],
        ["range"] = ["query", "node_memory_MemAvailable_bytes", "--range", "10m", "--step", "10s"],
        ["top"] = ["top", "--once"],
        ["watch"] = ["watch", "{node=\"gpu-01\"}"],
        ["events"] = ["events"],
        ["follow"] = ["events", "--follow"],
        ["status"] = ["status"],
        ["usage"] = ["usage", "--from", "7d"],
        ["backup"] = ["backup"],
        ["tokens"] = ["token", "list"],
        ["identities"] = ["identities", "--all"],
        ["ca"] = ["ca", "show"],
        ["doctor"] = ["doctor", "--server", "aggregator.lab"],
    };

    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> cases = [];
        foreach (string name in CommandLines.Keys)
        {
            foreach (string format in (string[])["table", "wide", "json", "jsonl", "csv"]) cases.Add(name, format);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Command_InAFormat_PrintsWhatWasAgreed(string name, string format)
    {
        Bench bench = new() { };
        bench.Fleet.Instant = request => request.Query.FormCase == V1.QueryInput.FormOneofCase.Spec ? SampleFleet.Top(request) : SampleFleet.Loads();

        bench.Fleet.Status = name == "status" ? SampleFleet.Troubled() : bench.Fleet.Status;

        ExitCode code = await bench.RunAsync([.. CommandLines[name], "-o", format]);

        Assert.Equal(ExitCode.Ok, code);
        GoldenFile.Check($"{name}.{format}.txt", bench.Output);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(140)]
    public async Task Tables_InATerminal_NeverWrapAndAreAsAgreed(int width)
    {
        StringWriter all = new() { NewLine = "\n" };
        foreach ((string name, string[] line) in CommandLines)
        {
            Bench bench = new Bench().AsTerminal(width);
            bench.Fleet.Instant = request => request.Query.FormCase == V1.QueryInput.FormOneofCase.Spec ? SampleFleet.Top(request) : SampleFleet.Loads();
            bench.Fleet.Status = name == "status" ? SampleFleet.Troubled() : bench.Fleet.Status;
            await bench.RunAsync([.. line, "--no-color"]);
            foreach (string row in bench.Output.Split('\n')) Assert.True(Ctl.Output.TextCells.Width(row) <= width, $"{name} at {width}: '{row}'");
            all.WriteLine($"$ nodectl {string.Join(' ', line)}");
            all.Write(bench.Output);
            all.WriteLine();
        }

        GoldenFile.Check($"terminal-{width}.txt", all.ToString());
    }

    [Fact]
    public async Task Table_InATerminal_HasColoursAndTheWordsToo()
    {
        Bench bench = new Bench().AsTerminal(100);

        await bench.RunAsync(["nodes"]);

        Assert.Contains("\e[1;31mdown\e[0m", bench.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO_COLOR", "1")]
    [InlineData("TERM", "dumb")]
    public async Task Table_WhereColoursAreUnwanted_HasNone(string variable, string value)
    {
        Bench bench = new Bench().AsTerminal(100);
        bench.Variables[variable] = value;

        await bench.RunAsync(["nodes"]);

        Assert.DoesNotContain('\e', bench.Output);
    }

    [Fact]
    public async Task Events_WithControlCharacters_CannotTouchTheTerminal()
    {
        Bench bench = new Bench().AsTerminal(120);

        await bench.RunAsync(["events", "--no-color"]);

        Assert.DoesNotContain('\e', bench.Output);
        Assert.Contains("\\x1b[31mdown", bench.Output, StringComparison.Ordinal);
    }
}
