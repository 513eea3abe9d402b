using System.Text.Json;
using NodeAgent.EndToEnd.Tests.Gpu;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Backup;

/// <summary>
/// The state directory is lost as a whole, and what a backup of the running aggregator brings back is all of it: nodes, series and their
/// samples, events, what placement decided, and what an operator said.
/// </summary>
public sealed class RestoreTests
{
    private const int Kill = 9;
    private const int HeldTicks = 5;

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the samples on another disk than the rest
    public async Task Aggregator_RestoredIntoNothing_KnowsWhatItKnew(bool elsewhere)
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2, aggregatorSettings: folder =>
        [
            $"backup.directory={Path.Combine(folder, "backups")}", "store.flush_interval=1s",
            .. elsewhere ? [$"store.directory={Path.Combine(folder, "wide")}"] : Array.Empty<string>(),
        ]);
        await BackupTests.MakeAdminAsync(bed.Folder);
        await LiveAsync(bed);

        // The agent is gone, so nothing changes any more and nobody can send again what is lost.
        Assert.True(await bed.Pair.Agent!.StopAsync(LocalPair.StopLimit));
        Dictionary<string, string> before = await KnowledgeAsync(bed);
        Assert.All(before, pair => Assert.False(pair.Value is "[]" or "", $"{pair.Key} is empty, so nothing could be lost"));
        (int code, string output) = await BackupTests.AdminAsync(bed.Folder, bed.Pair, "backup", "all");
        Assert.True(code == 0, output);
        bed.Pair.Aggregator!.Signal(Kill);
        Assert.True(await bed.Pair.Aggregator.WaitForExitAsync(LocalPair.StopLimit));
        bed.Pair.Aggregator.Dispose();

        string state = BackupTests.StateOf(bed.Folder);
        string[] rooms = RoomsOf(state);
        Directory.Move(state, state + ".lost");
        if (elsewhere)
        {
            Directory.Move(Path.Combine(bed.Folder, "wide"), Path.Combine(bed.Folder, "wide.lost"));
        }

        string[] store = elsewhere ? ["--store", Path.Combine(bed.Folder, "wide")] : [];
        await BackupTests.RunAsync(0, ["restore", Path.Combine(bed.Folder, "backups", "all"), "--state", state, .. store]);
        Assert.Equal(rooms, RoomsOf(state)); // a room that a backup does not know is state that a restore loses
        await BackupTests.RunAsync(0, ["verify", "--state", state, .. store]);

        await bed.Pair.StartAggregatorAsync();
        Dictionary<string, string> after = await KnowledgeAsync(bed);
        Assert.All(before, pair => Assert.Equal((pair.Key, pair.Value), (pair.Key, after[pair.Key])));
    }

    // Samples in files and in the log, an event, a job that holds GPUs, an operator's word on a node.
    private static async Task LiveAsync(GpuPair bed)
    {
        await bed.WaitForReadingAsync("0", "1");
        bed.KernelLog.Write("NVRM: Xid (PCI:0000:18:00): 79, pid=4711, name=python3, GPU has fallen off the bus.");
        await bed.WaitForEventsAsync("xid");
        await Waiting.ForAsync("a place for train", GpuPair.Patience, async () =>
            (await bed.Pair.CtlAsync("place", "train", "--gpus", "1", "-o", "json")).ExitCode == 0 ? new object() : null);
        (int code, string output) = await bed.Pair.CtlAsync("cordon", GpuPair.Node);
        Assert.True(code == 0, output);
        await Waiting.ForAsync("some seconds of samples", GpuPair.Patience, async () =>
            await bed.ValueAsync("count_over_time(nodeagent_ticks_total[10m])") >= HeldTicks ? new object() : null);
    }

    private static async Task<Dictionary<string, string>> KnowledgeAsync(GpuPair bed) => new()
    {
        ["nodes"] = await ItemsAsync(bed, ["nodes"], "name", "bootId", "agentVersion", "lastFrameUnixMs", "firstReceivedUnixMs"),
        ["series"] = await ItemsAsync(bed, ["series", "--limit", "10000"], "metric", "labels"),
        ["samples"] = await ItemsAsync(bed, ["query", "count_over_time({__name__=~\".+\"}[1h])"], "metric", "labels", "value"),
        ["sums"] = await ItemsAsync(bed, ["query", "sum_over_time({__name__=~\".+\"}[1h])"], "metric", "labels", "value"),
        ["events"] = await ItemsAsync(bed, ["events", "--limit", "1000"]),
        ["jobs"] = await ItemsAsync(bed, ["jobs"]),
        ["cordon"] = (await bed.Pair.CtlAsync("jobs")).Output is var text && text.Contains($"kept free of new work: {GpuPair.Node}", StringComparison.Ordinal) ? "cordoned" : "",
    };

    /// <summary>Some fields of each item that nodectl lists; without names, all of them.</summary>
    private static async Task<string> ItemsAsync(GpuPair bed, string[] arguments, params string[] fields)
    {
        (int code, string output) = await bed.Pair.CtlAsync([.. arguments, "-o", "json"]);
        Assert.True(code == 0, output);
        JsonElement items = JsonDocument.Parse(output).RootElement.GetProperty("items");
        return "[" + string.Join(",\n", items.EnumerateArray().Select(item => fields.Length == 0
            ? item.GetRawText()
            : string.Join(" ", fields.Where(field => item.TryGetProperty(field, out _)).Select(field => item.GetProperty(field).GetRawText())))) + "]";
    }

    /// <summary>The directories below the state directory that hold something.</summary>
    private static string[] RoomsOf(string state) =>
    [
        .. Directory.EnumerateDirectories(state)
            .Where(room => Directory.EnumerateFiles(room, "*", SearchOption.AllDirectories).Any(file => Path.GetFileName(file) != "lock"))
            .Select(room => Path.GetFileName(room)!).Order(StringComparer.Ordinal),
    ];
}
