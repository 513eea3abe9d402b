using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Gpu;

/// <summary>A job's life on the real pair with fake GPUs, over a restart of the aggregator.</summary>
public sealed class PlacementTests
{
    [Fact]
    public async Task Place_Commit_RestartOfTheAggregator_Release_TheJobKeepsItsGpus()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 4);
        await bed.WaitForReadingAsync("0", "1", "2", "3");

        JsonElement dry = await PlacedAsync(bed, "--dry-run");
        Assert.Equal(JsonValueKind.Null, dry.GetProperty("token").ValueKind);
        Assert.Empty(await JobsAsync(bed));

        JsonElement placed = await PlacedAsync(bed);
        Assert.True(placed.GetProperty("committed").GetBoolean());
        JsonElement assignment = Assert.Single(placed.GetProperty("assignments").EnumerateArray().ToArray());
        Assert.Equal((GpuPair.Node, 2, 2), (assignment.GetProperty("node").GetString(), assignment.GetProperty("devices").GetArrayLength(), assignment.GetProperty("deviceUuids").GetArrayLength()));
        string before = Assert.Single(await JobsAsync(bed)).GetRawText();

        bed.Pair.Aggregator!.Signal(9);
        Assert.True(await bed.Pair.Aggregator.WaitForExitAsync(LocalPair.StopLimit));
        bed.Pair.Aggregator.Dispose();
        await bed.Pair.StartAggregatorAsync();

        Assert.Equal(before, Assert.Single(await JobsAsync(bed)).GetRawText());

        // Two of four GPUs are taken, so three do not fit; what is left is said.
        JsonElement[] refused = await Waiting.ForAsync("a decision on the node that is back", GpuPair.Patience, async () =>
        {
            JsonElement decision = (await PlaceAsync(bed, "large", "3", "--dry-run")).Item;
            return decision.GetProperty("rejected").EnumerateArray().Any(reject => reject.GetProperty("reason").GetString() == "gpu") ? new[] { decision } : null;
        });
        Assert.Equal("wait", refused[0].GetProperty("outcome").GetString());
        Assert.Contains("fits with 2 GPUs", refused[0].GetProperty("counterfactuals").EnumerateArray().Select(fact => fact.GetString()));

        Assert.Equal((0, GpuPair.Node), await SlurmAsync(bed));
        Assert.Equal(0, (await bed.Pair.CtlAsync("release", "train")).ExitCode);
        Assert.Equal(0, (await bed.Pair.CtlAsync("release", "small")).ExitCode);
        Assert.Empty(await JobsAsync(bed));
        Assert.Equal(4, (await bed.Pair.CtlAsync("release", "train")).ExitCode);
    }

    // The agent's inventory and its GPUs come in within seconds of each other; until then placement says that it does not know the node.
    private static async Task<JsonElement> PlacedAsync(GpuPair bed, params string[] more) => (await Waiting.ForAsync("a place for train", GpuPair.Patience, async () =>
        await PlaceAsync(bed, "train", "2", more) is { Code: 0 } placed ? new[] { placed.Item } : null))[0];

    private static async Task<(int Code, JsonElement Item)> PlaceAsync(GpuPair bed, string job, string gpus, params string[] more)
    {
        (int code, string output) = await bed.Pair.CtlAsync(["place", job, "--gpus", gpus, "-o", "json", .. more]);
        return output.TrimStart().StartsWith('{') ? (code, JsonDocument.Parse(output).RootElement.GetProperty("item")) : (code, JsonDocument.Parse("""{"rejected":[]}""").RootElement);
    }

    private static async Task<(int Code, string Hosts)> SlurmAsync(GpuPair bed)
    {
        (int code, string output) = await bed.Pair.CtlAsync("place", "small", "--gpus", "1", "--gpu-milli", "500", "--format", "slurm");
        return (code, output.Trim());
    }

    private static async Task<JsonElement[]> JobsAsync(GpuPair bed)
    {
        (int code, string output) = await bed.Pair.CtlAsync("jobs", "-o", "json");
        Assert.True(code == 0, output);
        return [.. JsonDocument.Parse(output).RootElement.GetProperty("items").EnumerateArray()];
    }
}
