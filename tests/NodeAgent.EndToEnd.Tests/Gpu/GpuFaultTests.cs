using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Gpu;

/// <summary>What can go wrong with a GPU (G1 to G7), done to the real agent: the host goes on, the others go on, it comes back by itself.</summary>
public sealed class GpuFaultTests
{
    private static readonly string[] All = ["0", "1", "2", "3"];

    [Fact]
    public async Task Hang_AtOneGpu_LeavesItOutAndTakesItBackWhenTheCallReturns()
    {
        bool isThorough = Environment.GetEnvironmentVariable("NODEAGENT_TEST_THOROUGH") == "1";
        TimeSpan hang = isThorough ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(15);
        await using GpuPair bed = await GpuPair.StartAsync();
        await bed.WaitForReadingAsync(All);
        HostTicks host = await bed.WatchHostAsync();

        bed.Gpus.Set("gpu.2.hang", "nvmlDeviceGetUtilizationRates");
        JsonElement stalled = (await bed.WaitForEventsAsync("gpu_reader_stalled"))[0];
        Assert.Equal("DeviceGetUtilizationRates", GpuPair.Attribute(stalled, "call"));
        Assert.Equal(FakeGpus.BusId(2), GpuPair.Attribute(stalled, "pci"));
        Assert.Equal(FakeGpus.Uuid(2), GpuPair.Attribute(stalled, "uuid"));
        await bed.WaitForReadingAsync("0", "1", "3");
        await Stay(hang);
        await bed.WaitForReadingAsync("0", "1", "3");
        Assert.Equal(2, bed.Readers().Length);
        Assert.Equal(1, await bed.ValueAsync("nodeagent_gpu_reader_abandoned"));
        Assert.Equal(2, (await bed.ValuesAsync("gpu_state"))["2"]);
        await host.AssertUndisturbedAsync();

        bed.Gpus.Set("gpu.2.hang", null);
        await bed.WaitForEventsAsync("gpu_reader_returned");
        await bed.WaitForReadingAsync(All);
        Assert.Single(bed.Readers());
        Assert.Single(await bed.EventsAsync("gpu_reader_stalled"));
        await host.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task Hang_AtASecondGpu_StartsNoThirdReader()
    {
        await using GpuPair bed = await GpuPair.StartAsync();
        await bed.WaitForReadingAsync(All);
        bed.Gpus.Set("gpu.1.hang", "*");
        await bed.WaitForReadingAsync("0", "2", "3");
        HostTicks host = await bed.WatchHostAsync();

        bed.Gpus.Set("gpu.3.hang", "*");
        await bed.WaitForEventsAsync("gpu_reader_stalled", count: 2);
        await Stay(GpuPair.CallDeadline * 2);
        Assert.Equal(2, bed.Readers().Length);
        Assert.Equal(0, await bed.ValueAsync("nodeagent_gpu_reader_up"));
        await host.AssertUndisturbedAsync();

        bed.Gpus.Set("gpu.1.hang", null);
        bed.Gpus.Set("gpu.3.hang", null);
        await bed.WaitForReadingAsync(All);
        await Waiting.ForAsync("one reader", GpuPair.Patience, () => Task.FromResult(bed.Readers().Length == 1 ? new object() : null));
    }

    [Fact]
    public async Task Slow_GpuStretchesItsOwnIntervalAndIsNotTakenForStuck()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");
        HostTicks host = await bed.WatchHostAsync();

        bed.Gpus.Set("gpu.1.latency_us", "1000000"); // a third of the deadline, for each call
        await Waiting.ForAsync("values that are seconds old and say so", GpuPair.Patience, async () =>
            (await bed.ValuesAsync("nodeagent_gpu_reading_age_seconds{tier=\"fast\"}")).Values.Any(age => age > 4) ? new object() : null);
        await host.AssertUndisturbedAsync();
        Assert.Empty(await bed.EventsAsync("gpu_reader_stalled"));

        bed.Gpus.Set("gpu.1.latency_us", null);
        await bed.WaitForReadingAsync("0", "1");
        Assert.Empty(await bed.EventsAsync("gpu_reader_stalled"));
    }

    [Fact]
    public async Task Lost_GpuIsToldOnceAndTheOthersGoOnUntilItIsBack()
    {
        await using GpuPair bed = await GpuPair.StartAsync();
        await bed.WaitForReadingAsync(All);
        HostTicks host = await bed.WatchHostAsync();

        bed.Gpus.Set("gpu.1.lost", "1");
        JsonElement lost = (await bed.WaitForEventsAsync("gpu_lost"))[0];
        Assert.Equal(FakeGpus.BusId(1), GpuPair.Attribute(lost, "pci"));
        Assert.Equal("15", GpuPair.Attribute(lost, "code"));
        await bed.WaitForReadingAsync("0", "2", "3");
        Assert.Equal(1, (await bed.ValuesAsync("gpu_state"))["1"]);

        bed.Gpus.Set("gpu.1.epoch", "1"); // it was reset: handles of before are worth nothing
        bed.Gpus.Set("gpu.1.lost", null);
        await bed.WaitForEventsAsync("gpu_recovered");
        await bed.WaitForReadingAsync(All);
        Assert.Single(await bed.EventsAsync("gpu_lost"));
        Assert.Equal(1, await bed.ValueAsync("nodeagent_gpu_reader_starts_total"));
        await host.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task DriverReload_ByAnotherVersion_TakesEverythingAnew()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");
        HostTicks host = await bed.WatchHostAsync();

        bed.Gpus.Set("init", "9");
        bed.Gpus.Set("driver_epoch", "1");
        await bed.WaitForReadingAsync();
        bed.Gpus.Set("init", "18"); // the new library lies there, the old driver is still loaded: only another process can load it
        await bed.WaitForEventsAsync("gpu_driver_unavailable", count: 2);
        bed.Gpus.Set("driver", "fake-580.0");
        bed.Gpus.Set("init", null);

        await bed.WaitForReadingAsync("0", "1");
        await Waiting.ForAsync("the new driver's name", GpuPair.Patience, async () =>
            (await bed.ValuesAsync("gpu_info{gpu=\"0\"}", "driver")).ContainsKey("fake-580.0") ? new object() : null);
        await host.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task Library_IsNotThere_AgentRunsWithoutGpusAndSaysSoOnce()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2, withLibrary: false);
        HostTicks host = await Waiting.ForAsync("the first tick", GpuPair.Patience, async () =>
            await bed.ValueAsync("nodeagent_ticks_total") > 1 ? await bed.WatchHostAsync() : null);

        await bed.WaitForEventsAsync("gpu_driver_unavailable");
        await Stay(TimeSpan.FromSeconds(3));
        Assert.Single(bed.Pair.Agent!.Lines, line => line.Contains("event=GpuDriverUnavailable", StringComparison.Ordinal));
        Assert.Equal(2, await bed.ValueAsync("nodeagent_gpus_on_bus"));
        Assert.Empty(bed.Readers());
        await host.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task Library_OfAnOldDriver_GivesWhatItHas()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2, old: true);
        await bed.WaitForReadingAsync("0", "1");

        Assert.NotEmpty(await bed.ValuesAsync("gpu_temperature_celsius"));
        Assert.NotEmpty(await bed.ValuesAsync("gpu_energy_joules_total"));
        Assert.Empty(await bed.ValuesAsync("gpu_memory_reserved_bytes"));
        Assert.Empty(await bed.ValuesAsync("gpu_recovery_action"));
        Assert.Empty(await bed.EventsAsync("gpu_reader_crashed"));
    }

    [Fact]
    public async Task Crash_InsideTheLibrary_CostsOnlyTheReader()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");
        HostTicks host = await bed.WatchHostAsync();
        int agent = bed.Pair.Agent!.Id;

        bed.Gpus.Set("gpu.1.crash", "nvmlDeviceGetTemperatureV");
        JsonElement crashed = (await bed.WaitForEventsAsync("gpu_reader_crashed"))[0];
        Assert.Equal("DeviceGetTemperatureV", GpuPair.Attribute(crashed, "call"));
        Assert.Equal(FakeGpus.BusId(1), GpuPair.Attribute(crashed, "pci"));
        bed.Gpus.Set("gpu.1.crash", null);

        await bed.WaitForReadingAsync("0", "1");
        Assert.False(bed.Pair.Agent.HasExited);
        Assert.Equal(agent, bed.Pair.Agent.Id);
        await host.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task Crash_AgainAndAgainAtOneGpu_LeavesThatGpuOut()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2, prepare: gpus => gpus.Set("gpu.1.crash", "nvmlDeviceGetTemperatureV"));

        // Between two crashes GPU 0 may have been read already, so its readings alone say nothing.
        await Waiting.ForAsync("GPU 1 to be left out", GpuPair.Patience, async () =>
            (await bed.ValuesAsync("gpu_state")).GetValueOrDefault("1") == 2 ? new object() : null);
        await bed.WaitForReadingAsync("0");
        Assert.Equal(3, (await bed.WaitForEventsAsync("gpu_reader_crashed", count: 3)).Length);
    }

    [Fact]
    public async Task Layout_MigIsSwitchedOnAndAGpuGoes_SeriesFollow()
    {
        await using GpuPair bed = await GpuPair.StartAsync();
        await bed.WaitForReadingAsync(All);
        Assert.Empty(await bed.ValuesAsync("gpu_mig_memory_total_bytes", "mig_uuid"));

        bed.Gpus.Set("gpu.0.mig_instances", "3");
        bed.Gpus.Set("gpu.0.mig", "1");
        await Waiting.ForAsync("three MIG devices", GpuPair.Patience, async () =>
            (await bed.ValuesAsync("gpu_mig_memory_total_bytes", "mig_uuid")).Count == 3 ? new object() : null);
        Assert.DoesNotContain("0", (await bed.ValuesAsync("gpu_utilization_ratio")).Keys); // the parent has none in this mode

        bed.Gpus.Set("gpu.3.gone", "1");
        JsonElement missing = (await bed.WaitForEventsAsync("gpu_missing"))[0];
        Assert.Equal(FakeGpus.BusId(3), GpuPair.Attribute(missing, "pci"));
        await bed.WaitForReadingAsync("0", "1", "2");
        Assert.Equal(4, await bed.ValueAsync("nodeagent_gpus_on_bus"));
        Assert.Equal(3, await bed.ValueAsync("nodeagent_gpus_answering"));
    }

    [Fact]
    public async Task AbsurdValues_AreFlaggedAndNotPassedOn()
    {
        await using GpuPair bed = await GpuPair.StartAsync(count: 2);
        await bed.WaitForReadingAsync("0", "1");

        bed.Gpus.Set("gpu.1.util", "255");
        bed.Gpus.Set("gpu.1.field.186", "4000000000000");
        JsonElement[] flagged = await bed.WaitForEventsAsync("gpu_value_rejected", count: 2);
        Assert.Equal(["gpu_power_watts", "gpu_utilization_ratio"], flagged.Select(happened => GpuPair.Attribute(happened, "metric")).Order());
        await Stay(TimeSpan.FromSeconds(6)); // older values of these two are stale then

        Assert.Equal(["0"], (await bed.ValuesAsync("gpu_utilization_ratio")).Keys);
        Assert.Equal(["0"], (await bed.ValuesAsync("gpu_power_watts")).Keys);
        Assert.True((await bed.ValuesAsync("gpu_rejected_values_total"))["1"] >= 4);
        Assert.Contains("1", (await bed.ValuesAsync("gpu_memory_used_bytes")).Keys);
    }

    // A fault that lasts is part of what is tested; there is nothing to wait for.
    private static Task Stay(TimeSpan duration) => Task.Delay(duration, TimeProvider.System);
}
