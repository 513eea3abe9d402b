using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Completion;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("nodectl que", "query")]
    [InlineData("nodectl ", "ack,approve,audit,backup,bundle,ca,cancel,commands,commit,completion,cordon,detect,doctor,events,explain,feedback,fleet,forecast,halt,identities,incident,incidents,jobs,key,node,nodes,place,plan,policy,quarantine,query,release,revoke,rollouts,run,scale,series,sign,silence,status,submit,token,top,unsilence,usage,version,watch,what-if")]
    [InlineData("nodectl query --ra", "--range")]
    [InlineData("nodectl nodes -o j", "json,jsonl")]
    [InlineData("nodectl top --sort me", "mem")]
    [InlineData("nodectl node gpu-", "gpu-01,gpu-02,gpu-03")]
    [InlineData("nodectl events --node s", "storage-a")]
    [InlineData("nodectl query node_cpu_sec", "node_cpu_seconds_total")]
    [InlineData("nodectl completion f", "fish")]
    [InlineData("nodectl fleet issue lab ", "admin,agent,approver,operator,scraper,viewer")]
    public async Task Suggest_AtTheEndOfALine_OffersWhatFits(string line, string expected)
    {
        Bench bench = new();

        ExitCode code = await bench.RunAsync([$"[suggest:{line.Length}]", line]);

        Assert.Equal(ExitCode.Ok, code);
        Assert.Equal(expected.Split(','), bench.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Suggest_OfNodesWithoutAnAggregator_IsSilent()
    {
        Bench bench = new();
        bench.Fleet.Failure = new CtlException(ExitCode.Unavailable, "cannot list nodes", "connection refused");

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["[suggest:13]", "nodectl node "]));
        Assert.Equal(("", ""), (bench.Output, bench.Errors));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _nodectl nodectl")]
    [InlineData("zsh", "compdef _nodectl nodectl")]
    [InlineData("fish", "complete -c nodectl")]
    [InlineData("powershell", "Register-ArgumentCompleter -Native -CommandName nodectl")]
    public async Task Script_OfAShell_RegistersWithIt(string shell, string expected)
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["completion", shell]));
        Assert.Contains(expected, bench.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", bench.Output, StringComparison.Ordinal);
    }
}
