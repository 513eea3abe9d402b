using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Restart;

/// <summary>
/// The published, trimmed agent under a live stream while its aggregator is stopped and killed, over and over. Only the trimmed
/// file can show the hang this guards against (EventSource switched off makes the trimmed HTTP/2 client wait for ever).
/// </summary>
public sealed class ServerStopTests
{
    private const int Kill = 9;

    [Fact]
    public async Task PublishedAgent_ServerStopsAndKills_ReconnectsEveryTimeAndNeverHangs()
    {
        Assert.SkipUnless(File.Exists(Repository.PublishedAgent), "no published agent; ./build.sh test makes it");
        int rounds = Environment.GetEnvironmentVariable("NODEAGENT_TEST_THOROUGH") == "1" ? 100 : 6;
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
        {
            Folder = folder.Path,
            Node = "survivor",
            Address = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, LocalPair.FreePort()),
            AgentProgram = Repository.PublishedAgent,
        });
        int agentId = pair.Agent!.Id;

        for (int round = 0; round < rounds; round++)
        {
            await WaitForProgressAsync(pair, round);
            if (round % 2 == 0)
            {
                Assert.True(await pair.Aggregator!.StopAsync(LocalPair.StopLimit), $"round {round}: the aggregator did not stop with a stream open");
            }
            else
            {
                pair.Aggregator!.Signal(Kill);
                Assert.True(await pair.Aggregator.WaitForExitAsync(LocalPair.StopLimit));
            }

            pair.Aggregator.Dispose();
            await pair.StartAggregatorAsync();
        }

        await WaitForProgressAsync(pair, rounds);
        Assert.False(pair.Agent.HasExited);
        Assert.Equal(agentId, pair.Agent.Id);
        Assert.True(await pair.Agent.StopAsync(TimeSpan.FromSeconds(10)), "the agent did not stop when asked");
        Assert.Equal(0, pair.Agent.ExitCode);
    }

    // Progress, not only a connection: the aggregator has stored frames of this stream.
    private static Task<string> WaitForProgressAsync(LocalPair pair, int round) =>
        Waiting.ForAsync($"round {round}: telemetry of the agent at the new aggregator", TimeSpan.FromSeconds(40), async () =>
        {
            (int code, string output) = await pair.CtlAsync("query", "nodeagent_ticks_total{node=\"survivor\"}", "-o", "csv");
            return code == 0 && output.Contains("survivor", StringComparison.Ordinal) ? output : null;
        });
}
