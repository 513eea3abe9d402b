using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Gpu;

/// <summary>XIDs are events: told once, soon, with their text, and never again.</summary>
public sealed class XidTests
{
    private const int XidEvent = 8;
    private const string Line = "NVRM: Xid (PCI:0000:18:00): 79, pid=4711, name=python3, GPU has fallen off the bus.";

    [Fact]
    public async Task Xid_ByBothRoutes_IsToldOnceWithinASecondAndNotAfterRestarts()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");

        Stopwatch watch = Stopwatch.StartNew();
        bed.Gpus.Set("gpu.1.recovery_action", "2");
        bed.KernelLog.Write(Line);
        bed.Gpus.Tell(1, XidEvent, 79);
        await bed.Pair.Agent!.WaitForLineAsync(line => line.Contains("kind=xid", StringComparison.Ordinal), GpuPair.Patience);
        TimeSpan told = watch.Elapsed;
        JsonElement xid = Assert.Single(await bed.WaitForEventsAsync("xid"));

        Assert.Equal(Line, xid.GetProperty("message").GetString());
        Assert.Equal("79", GpuPair.Attribute(xid, "number"));
        Assert.Equal("4711", GpuPair.Attribute(xid, "pid"));
        Assert.Equal(FakeGpus.Uuid(1), GpuPair.Attribute(xid, "uuid"));
        Assert.Equal("kernel+nvml", GpuPair.Attribute(xid, "route"));
        Assert.Equal("driver", GpuPair.Attribute(xid, "action_source"));
        Assert.Equal("restart_machine", GpuPair.Attribute(xid, "action"));
        Assert.True(told < TimeSpan.FromSeconds(1), $"told after {told.TotalMilliseconds:0} ms");

        await RestartAgentAsync(bed);
        Assert.Single(await bed.EventsAsync("xid"));
        Assert.DoesNotContain(bed.Pair.Agent.Lines, line => line.Contains("kind=xid", StringComparison.Ordinal));
        Assert.True(await bed.Pair.Aggregator!.StopAsync(LocalPair.StopLimit));
        bed.Pair.Aggregator.Dispose();
        await bed.Pair.StartAggregatorAsync();
        await RestartAgentAsync(bed);
        Assert.InRange((await bed.EventsAsync("xid")).Count, 0, 1);
    }

    [Fact]
    public async Task Xid_OnlyByNvml_IsToldWithTheCataloguesWords()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 1);
        await bed.WaitForReadingAsync("0");

        bed.Gpus.Tell(0, XidEvent, 94);
        JsonElement xid = Assert.Single(await bed.WaitForEventsAsync("xid"));

        Assert.Equal("nvml", GpuPair.Attribute(xid, "route"));
        Assert.Equal("restart_app", GpuPair.Attribute(xid, "action"));
        Assert.Contains("Contained ECC error", xid.GetProperty("message").GetString());
    }

    // As the kernel's log is read again from its oldest record by whoever opens it.
    private static async Task RestartAgentAsync(GpuPair bed)
    {
        Assert.True(await bed.Pair.Agent!.StopAsync(LocalPair.StopLimit));
        bed.Pair.Agent.Dispose();
        await bed.Pair.StartAgentAsync();
        bed.KernelLog.Rewind();
        await bed.WaitForReadingAsync([.. Enumerable.Range(0, 2).Select(gpu => gpu.ToString())]);
    }
}
