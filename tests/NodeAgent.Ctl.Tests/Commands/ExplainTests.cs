using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class ExplainTests
{
    [Fact]
    public async Task ExplainXid_ShowsTheActionAndEverySourcesOpinion()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["explain", "xid", "109"]));

        Assert.Contains("drain the GPU and reset it", bench.Output);
        Assert.Contains("warning: no action", bench.Output); // gpud disagrees with NVIDIA here
        Assert.Contains("non-critical", bench.Output); // and so does Meta
        Assert.Contains("decided by the catalogue", bench.Output);
    }

    [Fact]
    public async Task ExplainXid_WithARecoveryAction_TheDriverWins()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["explain", "xid", "63", "--recovery-action", "1"]));

        Assert.Contains("decided by the driver", bench.Output);
        Assert.Contains("drain the GPU and reset it", bench.Output);
    }

    [Fact]
    public async Task ExplainXid_WithAPolicy_TheSiteWinsOverTheCatalogue()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, """{ "xids": { "63": { "action": "contact_support", "severity": "error" } } }""");
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["explain", "xid", "63", "--policy", file]));
        File.Delete(file);

        Assert.Contains("contact support (error, decided by the policy)", bench.Output);
    }

    [Fact]
    public async Task ExplainXid_WithABadPolicy_SaysWhatIsWrong()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, """{ "xids": { "63": { "action": "explode" } } }""");
        Bench bench = new();

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["explain", "xid", "63", "--policy", file]));
        File.Delete(file);

        Assert.Contains("xids.63.action is none of", bench.Error.ToString());
    }
}
