using System.Diagnostics;
using System.Text.Json;
using NodeAgent.EndToEnd.Tests.Gpu;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Detection;

/// <summary>From a fault on a host to the eyes of whoever watches, through the real programs.</summary>
public sealed class IncidentTests
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Xid_ThroughTheKernelLog_IsSeenByAWatcherWithinTwoSecondsAndOutlivesARestart()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 4);
        await bed.WaitForReadingAsync("0", "1", "2", "3");
        using RealProcess watcher = Watch(bed);
        await ReadyAsync(bed, watcher);

        // 99 of 100 within the promise: with twenty, all of them.
        List<double> milliseconds = [];
        foreach (int xid in new[] { 46, 48, 54, 62, 64, 74, 79, 95, 110, 119, 120, 136, 140, 143, 155, 156, 158, 167, 168, 169 })
        {
            int gpu = milliseconds.Count % 4;
            Stopwatch clock = Stopwatch.StartNew();
            bed.KernelLog.Write($"NVRM: Xid (PCI:{FakeGpus.BusId(gpu)}): {xid}, pid=4711, name=python3, a test of {xid}");
            string line = await watcher.WaitForLineAsync(text => text.Contains($"XID {xid} ", StringComparison.Ordinal), GpuPair.Patience);
            milliseconds.Add(clock.Elapsed.TotalMilliseconds);
            Assert.Contains($"gpu{gpu}", line, StringComparison.Ordinal);
        }

        Assert.True(milliseconds.Max() <= Promised.TotalMilliseconds, $"p50 {milliseconds.Order().ElementAt(milliseconds.Count / 2):0} ms, slowest {milliseconds.Max():0} ms");

        JsonElement before = await ListAsync(bed);
        string id = before[0].GetProperty("id").GetRawText();
        (int code, string output) = await bed.Pair.CtlAsync("ack", id);
        Assert.True(code == 0, output);
        await RestartAggregatorAsync(bed);
        JsonElement after = await ListAsync(bed);
        Assert.Equal("acknowledged", after.EnumerateArray().Single(item => item.GetProperty("id").GetRawText() == id).GetProperty("state").GetString());
        Assert.Equal(before.GetArrayLength(), after.GetArrayLength());
    }

    [Fact]
    public async Task Threshold_IsCrossedOnAnAgent_IsSeenByAWatcherAfterTheRulesHold()
    {
        TimeSpan hold = TimeSpan.FromSeconds(5); // of throttle-thermal
        TimeSpan tick = TimeSpan.FromSeconds(1); // of the agent: the breach is between two looks
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");
        using RealProcess watcher = Watch(bed);
        await ReadyAsync(bed, watcher);

        Stopwatch clock = Stopwatch.StartNew();
        bed.Gpus.Set("gpu.1.throttle", "64"); // nvmlClocksThrottleReasonHwThermalSlowdown
        await watcher.WaitForLineAsync(text => text.Contains("throttle-thermal", StringComparison.Ordinal), GpuPair.Patience);
        TimeSpan seen = clock.Elapsed;
        Assert.True(seen <= hold + tick + Promised, $"seen after {seen.TotalSeconds:0.0} s");

        (int code, string text) = await bed.Pair.CtlAsync("incidents", "--cause", "throttle-thermal", "-o", "json");
        JsonElement incident = Assert.Single(JsonDocument.Parse(text).RootElement.GetProperty("items").EnumerateArray());
        (code, string explained) = await bed.Pair.CtlAsync("incident", incident.GetProperty("id").GetRawText());
        Assert.True(code == 0, explained);
        Assert.Contains("check_cooling", incident.GetProperty("action").GetString(), StringComparison.Ordinal);
        Assert.Contains("gpu_throttle_active", explained, StringComparison.Ordinal);
        Assert.Contains("Likely causes", explained, StringComparison.Ordinal);
    }

    private static RealProcess Watch(GpuPair bed) =>
        RealProcess.Start("nodectl", Repository.CtlProgram, ["incidents", "--watch", "-o", "jsonl", .. bed.Pair.CtlArguments], new Dictionary<string, string>());

    // A watcher says nothing as long as nothing happens; a small XID tells when it listens, without opening anything of the test's own.
    private static async Task ReadyAsync(GpuPair bed, RealProcess watcher)
    {
        bed.KernelLog.Write($"NVRM: Xid (PCI:{FakeGpus.BusId(0)}): 109, pid=1, name=ready, the watcher's own");
        await watcher.WaitForLineAsync(line => line.Contains("XID 109 ", StringComparison.Ordinal), GpuPair.Patience);
    }

    private static async Task<JsonElement> ListAsync(GpuPair bed)
    {
        (int code, string output) = await bed.Pair.CtlAsync("incidents", "--all", "-o", "json");
        Assert.True(code == 0, output);
        return JsonDocument.Parse(output).RootElement.GetProperty("items");
    }

    private static async Task RestartAggregatorAsync(GpuPair bed)
    {
        Assert.True(await bed.Pair.Aggregator!.StopAsync(LocalPair.StopLimit));
        bed.Pair.Aggregator.Dispose();
        await bed.Pair.StartAggregatorAsync();
    }
}
