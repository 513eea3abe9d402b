using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(2, "nodectl: unknown command 'nods': nodectl does not have it. Did you mean 'nodes'? See 'nodectl --help'.", "nods")]
    [InlineData(2, "nodectl: unknown option '--sevrer': nodectl nodes does not have it. Did you mean '--server'? See 'nodectl nodes --help'.", "nodes", "--sevrer", "x")]
    [InlineData(2, "nodectl: unknown option '--rang': nodectl query does not have it. Did you mean '--range'? See 'nodectl query --help'.", "query", "--rang", "10m", "up")]
    [InlineData(2, "nodectl: missing EXPR: nodectl query needs it. See 'nodectl query --help'.", "query")]
    [InlineData(2, "nodectl: missing command: nodectl fleet needs one of init, issue, issuer. See 'nodectl fleet --help'.", "fleet")]
    [InlineData(2, "nodectl: --range needs a value: none was given. See 'nodectl query --help'.", "query", "up", "--range")]
    [InlineData(2, "nodectl: cannot read the command line: --range: '10' is no duration. Write 500ms, 10s, 5m, 1h30m or 2d. See 'nodectl query --help'.", "query", "up", "--range", "10")]
    [InlineData(2, "nodectl: cannot read the command line: --output: 'jsno' is none of table, wide, json, jsonl, csv. Did you mean 'json'? See 'nodectl nodes --help'.", "nodes", "-o", "jsno")]
    [InlineData(2, "nodectl: cannot read the command line: --at is for one moment and --range for a range; give one of them. See 'nodectl query --help'.", "query", "up", "--range", "10m", "--at", "now")]
    [InlineData(2, "nodectl: cannot read the command line: --top and --bottom exclude each other. See 'nodectl query --help'.", "query", "up", "--top", "3", "--bottom", "3")]
    [InlineData(2, "nodectl: cannot read the command line: --top: '0' is no whole number from 1 to 1000. See 'nodectl query --help'.", "query", "up", "--top", "0")]
    [InlineData(2, "nodectl: cannot read --at: 'yesterday' is no time. Write 10m (ago), now, 2026-11-21T09:00:00Z or '2026-11-21 09:00' (UTC).", "query", "up", "--at", "yesterday")]
    [InlineData(2, "nodectl: unexpected argument '(up)': nodectl query takes one argument, EXPR. Put the whole expression in single quotes.", "query", "sum", "(up)")]
    [InlineData(2, "nodectl: cannot use http://10.0.0.5:7443/: without TLS only this machine's own loopback address may be used. Use https:// with --ca, --cert and --key.", "nodes", "--server", "http://10.0.0.5")]
    [InlineData(2, "nodectl: cannot read the server address 'lab:99999' (--server): '99999' is no port from 1 to 65535. Give host:port, for example aggregator.lab:7443.", "nodes", "--server", "lab:99999")]
    [InlineData(2, "nodectl: cannot identify: --cert without --key. Give both files.", "nodes", "--cert", "a.crt")]
    [InlineData(2, "nodectl: cannot watch: the selector is empty. Name a metric or a label: node_load1, {node=\"gpu-01\"}.", "watch", "")]
    [InlineData(4, "nodectl: cannot show node 'gpu-1': no node named 'gpu-1' has ever connected. Did you mean 'gpu-01'? 'nodectl nodes' lists them.", "node", "gpu-1")]
    [InlineData(2, "nodectl: cannot print a completion script: 'powershel' is none of bash, zsh, fish, powershell. Did you mean 'powershell'?", "completion", "powershel")]
    public async Task CommandLine_ThatCannotWork_SaysWhyInOneLine(int code, string line, params string[] arguments)
    {
        Bench bench = new();

        ExitCode actual = await bench.RunAsync(arguments);

        Assert.Equal(line + "\n", bench.Errors);
        Assert.Equal((ExitCode)code, actual);
        Assert.Equal("", bench.Output);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Failure_OfTheAggregator_BecomesItsExitCodeAndOneLine(int code)
    {
        Bench bench = new();
        bench.Fleet.Failure = new CtlException((ExitCode)code, "cannot list nodes", "it went wrong", "Try again.");

        ExitCode actual = await bench.RunAsync(["nodes"]);

        Assert.Equal((ExitCode)code, actual);
        Assert.Equal("nodectl: cannot list nodes: it went wrong. Try again.\n", bench.Errors);
    }

    [Fact]
    public async Task Expression_ThatTheAggregatorRefuses_IsShownWithACaret()
    {
        Bench bench = new();
        bench.Fleet.Failure = new CtlException(ExitCode.Usage, "cannot evaluate", "expected ')' (position 16)");

        ExitCode code = await bench.RunAsync(["query", "rate(node_load1 [1m"]);

        Assert.Equal(ExitCode.Usage, code);
        Assert.Equal("nodectl: cannot evaluate: expected ')' (position 16)\n  rate(node_load1 [1m\n                 ^\n", bench.Errors);
    }

    [Fact]
    public async Task Bug_InACommand_IsOneLineWithoutAStackTrace()
    {
        Bench bench = new();
        bench.Fleet.Failure = new InvalidOperationException("the impossible\nhappened");

        ExitCode code = await bench.RunAsync(["nodes"]);

        Assert.Equal(ExitCode.Failure, code);
        Assert.Equal("nodectl: internal error: InvalidOperationException: the impossible happened. Run it again with -vv and report what it prints.\n", bench.Errors);
    }

    [Fact]
    public async Task Bug_WithVV_ShowsTheStackTrace()
    {
        Bench bench = new();
        bench.Fleet.Failure = new InvalidOperationException("impossible");

        await bench.RunAsync(["nodes", "-vv"]);

        Assert.Contains("at NodeAgent.Ctl", bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupt_WhileACommandRuns_EndsWith130()
    {
        using CancellationTokenSource stop = new();
        await stop.CancelAsync();
        Bench bench = new();

        Assert.Equal(ExitCode.Interrupted, await bench.RunAsync(["watch", "node_load1"], stop.Token));
        Assert.Equal("", bench.Errors);
    }

    [Fact]
    public async Task NoCommand_PrintsTheHelpOnStandardErrorAndFails()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Usage, await bench.RunAsync([]));
        Assert.Contains("Commands:", bench.Errors, StringComparison.Ordinal);
        Assert.Equal("", bench.Output);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("query", "--help")]
    [InlineData("fleet", "issue", "-h")]
    public async Task Help_OfACommand_HasExamplesAndSucceeds(params string[] arguments)
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(arguments));
        Assert.Contains("Examples:", bench.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("[default", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_InATable_IsOneLine()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["version"]));
        Assert.StartsWith("nodectl 0.", bench.Output, StringComparison.Ordinal);
        Assert.Single(bench.Output.TrimEnd().Split('\n'));
    }
}
