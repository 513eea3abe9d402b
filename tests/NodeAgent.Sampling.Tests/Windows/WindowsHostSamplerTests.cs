using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Tests.Windows;

/// <summary>Processor, memory, processes, time.</summary>
public sealed class WindowsHostSamplerTests
{
    private const ulong Second = 10_000_000; // units of 100 ns

    private readonly ScriptedWin32 _win32 = new();

    [Fact]
    public void Cpu_KernelTime_IsReportedWithoutTheIdleTimeInIt()
    {
        WindowsCpuSampler sampler = new(_win32);
        _win32.Times = (Idle: 700 * Second, Kernel: (750 * Second) + 123_456, User: 40 * Second);

        Assert.Equal(SampleStatus.Ok, SamplerText.Run(sampler));

        Assert.Equal(40, Cpu(sampler, "user"));
        Assert.Equal(50.01, Cpu(sampler, "system"));
        Assert.Equal(700, Cpu(sampler, "idle"));
        Assert.Equal(8, SamplerText.Value(sampler, "node_cpus_online"));
    }

    [Fact]
    public void Cpu_WhereIdleIsAheadOfKernelTime_NeitherWrapsNorStepsBack()
    {
        WindowsCpuSampler sampler = new(_win32);
        _win32.Times = (Idle: 700 * Second, Kernel: 702 * Second, User: 0);
        SamplerText.Run(sampler);

        _win32.Times = (Idle: 703 * Second, Kernel: 702 * Second, User: 0);
        SamplerText.Run(sampler);

        Assert.Equal(2, Cpu(sampler, "system"));
    }

    [Fact]
    public void Cpu_TimesAboveFourGiB_KeepAllBits()
    {
        WindowsCpuSampler sampler = new(_win32);
        _win32.Times = (Idle: 0, Kernel: 0, User: 256UL * 86_400 * 365 * Second); // 256 processors, a year
        SamplerText.Run(sampler);

        Assert.Equal(256.0 * 86_400 * 365, Cpu(sampler, "user"));
    }

    [Fact]
    public void Memory_CommitSizes_ArePagesTimesTheirSize()
    {
        WindowsMemorySampler sampler = new(_win32);
        _win32.Memory = new MemoryStatus { TotalPhysical = 64UL << 30, AvailablePhysical = 48UL << 30 };
        _win32.Performance = new PerformanceInformation { CommitLimit = 20 << 20, CommitTotal = 5 << 20, PageBytes = 4096 };

        Assert.Equal(SampleStatus.Ok, SamplerText.Run(sampler));

        Assert.Equal(64.0 * (1L << 30), SamplerText.Value(sampler, "node_memory_MemTotal_bytes"));
        Assert.Equal(48.0 * (1L << 30), SamplerText.Value(sampler, "node_memory_MemAvailable_bytes"));
        Assert.Equal(80.0 * (1L << 30), SamplerText.Value(sampler, "node_memory_CommitLimit_bytes"));
        Assert.Equal(20.0 * (1L << 30), SamplerText.Value(sampler, "node_memory_Committed_AS_bytes"));
    }

    [Fact]
    public void Processes_OfAHost_AreCounted()
    {
        WindowsProcessSampler sampler = new(_win32);
        _win32.Performance = new PerformanceInformation { Processes = 180, Threads = 2_400, Handles = 91_000 };

        SamplerText.Run(sampler);

        Assert.Equal([2_400, 91_000, 180], [.. from name in new[] { "threads", "handles", "pids" } select SamplerText.Value(sampler, $"node_processes_{name}")!.Value]);
    }

    [Fact]
    public void Time_OfBoot_StaysWhileTheClocksJitterAndMovesWhenTheClockIsSet()
    {
        WindowsUptimeSampler sampler = new(_win32);
        _win32.UptimeMs = 86_400_123;
        SamplerText.Run(sampler);
        double boot = SamplerText.Value(sampler, "node_boot_time_seconds")!.Value;
        Assert.Equal(SamplerText.Now.WallUnixMs - 86_400_123, boot * 1000, tolerance: 1000);
        Assert.Equal(86_400.12, SamplerText.Value(sampler, "node_uptime_seconds"));
        Assert.Equal(SamplerText.Now.WallUnixMs / 1000.0, SamplerText.Value(sampler, "node_time_seconds"));

        _win32.UptimeMs += 900;
        SamplerText.Run(sampler);
        Assert.Equal(boot, SamplerText.Value(sampler, "node_boot_time_seconds"));

        _win32.UptimeMs += 60_000;
        SamplerText.Run(sampler);
        Assert.Equal(boot - 60, SamplerText.Value(sampler, "node_boot_time_seconds")!.Value, tolerance: 1);
    }

    [Fact]
    public void Inventory_OfAHost_SaysWhatTheCallsTellAndStaysEqual()
    {
        _win32.Memory = new MemoryStatus { TotalPhysical = 64UL << 30 };
        _win32.UptimeMs = 3_600_000;
        Scheduling.ManualTime time = new(SamplerText.Now.WallUnixMs);
        WindowsInventoryReader reader = new(time, _win32);

        Sampling.Inventory.HostInventory first = reader.Read();
        _win32.UptimeMs += 15;

        Assert.Equal(Environment.MachineName, first.HostName);
        Assert.Equal(64UL << 30, first.MemoryBytes);
        Assert.Equal(8u, first.Cpu.Threads);
        Assert.Equal(time.GetUtcNow().ToUnixTimeMilliseconds() - 3_600_000, first.BootUnixMs);
        Assert.Equal(first, reader.Read());
    }

    private static double? Cpu(WindowsCpuSampler sampler, string mode) =>
        SamplerText.Value(sampler, $"node_cpu_seconds_total{{cpu=\"all\",mode=\"{mode}\"}}");
}
