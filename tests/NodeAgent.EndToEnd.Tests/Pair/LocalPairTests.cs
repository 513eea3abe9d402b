using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Pair;

/// <summary>The main job: both real programs, mutual TLS, this host's telemetry, asked through nodectl.</summary>
public sealed class LocalPairTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Pair_OnThisHost_ShowsLiveReadingsAndStopsCleanly()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, Node = "e2e-node" });

        JsonElement node = await Waiting.ForAsync("a live node with telemetry", Limit, async () =>
        {
            (int code, string output) = await pair.CtlAsync("nodes", "-o", "json");
            Assert.Equal(0, code);
            JsonElement first = JsonDocument.Parse(output).RootElement.GetProperty("items").EnumerateArray().FirstOrDefault();
            return first.ValueKind == JsonValueKind.Object && output.Contains("live", StringComparison.OrdinalIgnoreCase) ? new Boxed(first) : null;
        });
        Assert.Contains("e2e-node", node.GetRawText());

        // Live means connected; the first reading follows within a tick.
        string answer = await Waiting.ForAsync("the node's first reading", Limit, async () =>
        {
            (int code, string output) = await pair.CtlAsync("query", "node_memory_MemTotal_bytes{node=\"e2e-node\"}", "-o", "json");
            Assert.Equal(0, code);
            return JsonDocument.Parse(output).RootElement.GetProperty("items").GetArrayLength() > 0 ? output : null;
        });
        Assert.Contains(TotalMemoryBytes().ToString(), answer);

        (int described, string inventory) = await pair.CtlAsync("node", "e2e-node");
        Assert.Equal(0, described);
        Assert.Contains(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), inventory);

        Assert.True(await pair.StopAsync(), string.Join('\n', pair.Agent!.Lines.Concat(pair.Aggregator!.Lines)));
        Assert.DoesNotContain(pair.Agent.Lines, line => line.Contains("level=error", StringComparison.Ordinal));
        Assert.DoesNotContain(pair.Aggregator.Lines, line => line.Contains("level=error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Up_ForSeconds_EndsByItselfWithZero()
    {
        (int code, string output) = await RealProcess.RunAsync(
            Repository.Program("NodeAgent.Build", "NodeAgent.Build"), ["up", "--for", "8s", "--port", "0"], TimeSpan.FromSeconds(90));

        Assert.True(code == 0, output);
        Assert.Contains("stopped", output);
        Assert.Contains(Environment.MachineName.ToLowerInvariant(), output);
    }

    private static ulong TotalMemoryBytes() =>
        ulong.Parse(File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;

    private sealed record Boxed(JsonElement Element)
    {
        public static implicit operator JsonElement(Boxed box) => box.Element;
    }
}
