using System.Net;
using System.Net.Sockets;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.BadInput;

/// <summary>What a person or a stranger may get wrong: one clear error each, and nothing crashes.</summary>
public sealed class BadInputTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Agent_UnknownKey_SaysWhereAndSuggests()
    {
        using ScratchFolder folder = new();
        string file = Path.Combine(folder.Path, "agent.json");
        await File.WriteAllTextAsync(file, "{\n  \"uplink\": {\n    \"agregator\": \"https://127.0.0.1:7443\"\n  }\n}\n");

        (int code, string output) = await RealProcess.RunAsync(Repository.AgentProgram, ["run", "--config", file], Limit);

        Assert.Equal(2, code);
        Assert.Contains("agent.json:3:5", output);
        Assert.Contains("did you mean 'uplink.aggregator'", output);
    }

    [Fact]
    public async Task Aggregator_PortInUse_SaysWhichAndExitsWithItsCode()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;

        DirectoryInfo state = Directory.CreateTempSubdirectory("nodeagent-e2e-");
        (int code, string output) = await RealProcess.RunAsync(
            Repository.AggregatorProgram, ["run", "--set", $"listen.plaintext={address}", "--set", $"state.directory={state.FullName}"], Limit);
        state.Delete(recursive: true);

        Assert.Equal(3, code);
        Assert.Contains("event=AddressUnusable", output);
        Assert.Contains(address, output);
        Assert.Single(output.Split('\n'), line => line.Contains("level=error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agent_AggregatorAway_LogsOnceKeepsSamplingAndStopsCleanly()
    {
        using RealProcess agent = RealProcess.Start("agent", Repository.AgentProgram,
            ["run", "--set", $"uplink.aggregator=http://127.0.0.1:{LocalPair.FreePort()}", "--set", "uplink.plaintext_node=alone"]);

        string lost = await agent.WaitForLineAsync(line => line.Contains("event=UplinkLost", StringComparison.Ordinal), Limit);
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);

        Assert.Contains("refused", lost);
        Assert.Single(agent.Lines, line => line.Contains("event=UplinkLost", StringComparison.Ordinal));
        Assert.True(await agent.StopAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, agent.ExitCode);
    }

    [Fact]
    public async Task Nodectl_UnknownSelectorSyntax_PointsAtThePosition()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path });

        (int code, string output) = await pair.CtlAsync("query", "node_load1{node=\"a\" job=\"b\"}");

        Assert.Equal(2, code);
        Assert.Contains("position 21", output);
        Assert.Contains("^", output);
    }

    [Fact]
    public async Task Nodectl_NobodyListens_SaysSoAndExitsWithUnavailable()
    {
        (int code, string output) = await RealProcess.RunAsync(
            Repository.CtlProgram, ["nodes", "--server", $"http://127.0.0.1:{LocalPair.FreePort()}", "--plaintext"], Limit);

        Assert.Equal(3, code);
        Assert.StartsWith("nodectl: ", output);
        Assert.Contains("refused", output);
    }

    [Fact]
    public async Task Aggregator_GarbageOnItsPort_GoesOnServing()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path });
        Random random = new(20261121);
        for (int i = 0; i < 40; i++)
        {
            using TcpClient stranger = new();
            await stranger.ConnectAsync(pair.Address);
            byte[] garbage = new byte[random.Next(1, 20_000)];
            random.NextBytes(garbage);
            try
            {
                await stranger.GetStream().WriteAsync(garbage);
            }
            catch (IOException)
            {
                // Being cut off in the middle is one right answer to garbage.
                continue;
            }
        }

        (int code, string output) = await pair.CtlAsync("status");

        Assert.True(code == 0, output);
        Assert.DoesNotContain(pair.Aggregator!.Lines, line => line.Contains("level=error", StringComparison.Ordinal));
    }
}
