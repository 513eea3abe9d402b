using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class IncidentTests
{
    [Theory]
    [InlineData("incidents", "incidents")]
    [InlineData("incidents-watch", "incidents", "--watch")]
    [InlineData("silences", "incidents", "--silences")]
    [InlineData("incident", "incident", "17")]
    [InlineData("detect", "detect", "--selector", "{node=\"gpu-02\"}")]
    [InlineData("detect-counts", "detect", "--selector", "{node=\"gpu-02\"}", "--counts")]
    [InlineData("forecast", "forecast", "node_filesystem_avail_bytes", "--limit", "0")]
    [InlineData("forecast-fleet", "forecast", "--fleet")]
    public async Task Output_InEveryForm_IsAsAgreed(string name, params string[] command)
    {
        foreach (string form in new[] { "table", "wide", "json", "jsonl", "csv" })
        {
            Bench bench = new();
            Assert.Equal(ExitCode.Ok, await bench.RunAsync([.. command, "-o", form]));
            GoldenFile.Check($"{name}.{form}.txt", bench.Output);
        }
    }

    [Fact]
    public async Task Incident_UnderExplain_IsTheSame()
    {
        Bench one = new();
        await one.RunAsync(["incident", "17"]);
        Bench other = new();
        await other.RunAsync(["explain", "incident", "17"]);
        Assert.Equal(one.Output, other.Output);
        Assert.Equal(17UL, other.Fleet.Last<ExplainRequest>().Id);
    }

    [Fact]
    public async Task Incident_WithoutPlots_HasNoDots()
    {
        Bench bench = new();
        await bench.RunAsync(["incident", "17", "--no-plot"]);
        Assert.DoesNotContain(bench.Output, character => character is >= '\u2801' and <= '\u28ff');
    }

    [Fact]
    public async Task Silence_EveryOption_GoesIntoTheRequest()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["silence", "--node", "n1", "--cause", "xid-79", "--for", "2h", "--reason", "replaced on Tuesday"]));
        Assert.Equal(new SilenceRequest { Node = "n1", Cause = "xid-79", DurationMs = 7_200_000, Reason = "replaced on Tuesday" }, bench.Fleet.Last<SilenceRequest>());
    }

    [Theory]
    [InlineData("silence", "--for", "1h", "--reason", "all of it")]
    [InlineData("silence", "--node", "n1", "--reason", "for ever")]
    [InlineData("silence", "--node", "n1", "--for", "1h")]
    [InlineData("feedback", "3")]
    [InlineData("feedback", "3", "--right", "--wrong")]
    [InlineData("forecast")]
    [InlineData("forecast", "up", "--fleet")]
    [InlineData("forecast", "up", "--limit", "many")]
    [InlineData("detect")]
    [InlineData("incidents", "--watch", "--all")]
    public async Task Command_ThatContradictsItself_IsRefusedAndAsksNobody(params string[] command)
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Usage, await bench.RunAsync(command));
        Assert.Empty(bench.Fleet.Requests);
    }

    [Fact]
    public async Task Orders_AreSentAndSaid()
    {
        Bench bench = new();
        await bench.RunAsync(["ack", "17"]);
        await bench.RunAsync(["unsilence", "4"]);
        await bench.RunAsync(["feedback", "17", "--wrong"]);
        Assert.Equal([17UL, 4UL, 17UL], [bench.Fleet.Last<AcknowledgeRequest>().Id, bench.Fleet.Last<UnsilenceRequest>().Id, bench.Fleet.Last<FeedbackRequest>().Id]);
        Assert.False(bench.Fleet.Last<FeedbackRequest>().Right);
        Assert.Contains("acknowledged by nodeagent://lab/operator/ann", bench.Output, StringComparison.Ordinal);
    }
}
