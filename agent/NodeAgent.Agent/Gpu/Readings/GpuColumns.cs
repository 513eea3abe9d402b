using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using static NodeAgent.Contracts.Metrics.GpuMetrics;

namespace NodeAgent.Agent.Gpu.Readings;

/// <summary>How often a value is read, by what it costs the driver (class A, B, C of the calls).</summary>
internal enum GpuTier
{
    /// <summary>Every second.</summary>
    Fast = 0,

    /// <summary>Every ten seconds.</summary>
    Detail = 1,

    /// <summary>Every minute.</summary>
    Slow = 2,
}

/// <summary>One value of a GPU: what it is, how often it is read, and what it can be at all.</summary>
/// <param name="Metric">Its metric.</param>
/// <param name="Labels">Labels besides those of the GPU.</param>
/// <param name="Tier">When it is read.</param>
/// <param name="Min">Values below are no measurement and are rejected.</param>
/// <param name="Max">Values above are no measurement and are rejected.</param>
internal sealed record GpuColumn(MetricDefinition Metric, Label[] Labels, GpuTier Tier, double Min, double Max);

/// <summary>
/// Every value a GPU can have, by its place in the shared memory: reader and agent are one binary, so both have the same table. Bounds are
/// what physics and formats allow, far outside what a healthy GPU shows: they catch a broken reading, not a bad day.
/// </summary>
internal static class GpuColumns
{
    /// <summary>NVLinks of the largest GPUs.</summary>
    internal const int Links = 18;

    private const double Any = 9.2e18; // what a 64-bit counter holds
    private const double MostCelsius = 150; // silicon is dead above
    private const double MostWatts = 5_000; // several times the largest module
    private const double MostHertz = 10e9;
    private const double MostBytes = 16L << 40;

    private static readonly List<GpuColumn> Table = [];

    internal static readonly int Utilization = Ratio(UtilizationRatio, GpuTier.Fast);
    internal static readonly int MemoryUtilization = Ratio(MemoryUtilizationRatio, GpuTier.Fast);
    internal static readonly int MemoryTotal = Add(MemoryTotalBytes, GpuTier.Fast, 1, MostBytes);
    internal static readonly int MemoryUsed = Add(MemoryUsedBytes, GpuTier.Fast, 0, MostBytes);
    internal static readonly int MemoryFree = Add(MemoryFreeBytes, GpuTier.Fast, 0, MostBytes);
    internal static readonly int MemoryReserved = Add(MemoryReservedBytes, GpuTier.Fast, 0, MostBytes);
    internal static readonly int SmClock = Add(ClockHertz, GpuTier.Fast, 0, MostHertz, ("clock", "sm"));
    internal static readonly int MemoryClock = Add(ClockHertz, GpuTier.Fast, 0, MostHertz, ("clock", "memory"));
    internal static readonly int Temperature = Add(TemperatureCelsius, GpuTier.Fast, -50, MostCelsius);
    internal static readonly int FirstThrottle = AddThrottle();

    internal static readonly int MemoryTemperature = Add(MemoryTemperatureCelsius, GpuTier.Fast, 1, MostCelsius); // 0: the board has no such sensor
    internal static readonly int Energy = Add(EnergyJoulesTotal, GpuTier.Fast, 0, Any);
    internal static readonly int Power = Add(PowerWatts, GpuTier.Fast, 0, MostWatts);
    internal static readonly int PowerAverage = Add(PowerAverageWatts, GpuTier.Fast, 0, MostWatts);
    internal static readonly int ThrottlePower = Throttled("power");
    internal static readonly int ThrottleThermal = Throttled("thermal");
    internal static readonly int ThrottleSyncBoost = Throttled("sync_boost");
    internal static readonly int ThrottleBoardLimit = Throttled("board_limit");
    internal static readonly int ThrottleLowUtilization = Throttled("low_utilization");
    internal static readonly int ThrottleReliability = Throttled("reliability");
    internal static readonly int ThrottleSoftwareThermal = Throttled("sw_thermal");
    internal static readonly int ThrottleHardwareThermal = Throttled("hw_thermal");
    internal static readonly int ThrottlePowerBrake = Throttled("hw_power_brake");
    internal static readonly int NvLinkTransmit = Add(NvLinkBytesTotal, GpuTier.Fast, 0, Any, ("direction", "transmit"));
    internal static readonly int NvLinkReceive = Add(NvLinkBytesTotal, GpuTier.Fast, 0, Any, ("direction", "receive"));
    internal static readonly int NvLinkRawTransmit = Add(NvLinkRawBytesTotal, GpuTier.Fast, 0, Any, ("direction", "transmit"));
    internal static readonly int NvLinkRawReceive = Add(NvLinkRawBytesTotal, GpuTier.Fast, 0, Any, ("direction", "receive"));
    internal static readonly int PcieTransmit = Add(PcieBytesTotal, GpuTier.Fast, 0, Any, ("direction", "transmit"));
    internal static readonly int PcieReceive = Add(PcieBytesTotal, GpuTier.Fast, 0, Any, ("direction", "receive"));
    internal static readonly int Recovery = Add(RecoveryAction, GpuTier.Fast, 0, 255);

    internal static readonly int GraphicsClock = Add(ClockHertz, GpuTier.Detail, 0, MostHertz, ("clock", "graphics"));
    internal static readonly int VideoClock = Add(ClockHertz, GpuTier.Detail, 0, MostHertz, ("clock", "video"));
    internal static readonly int PState = Add(PerformanceState, GpuTier.Detail, 0, 15); // 32: the driver does not know
    internal static readonly int Margin = Add(TemperatureMarginCelsius, GpuTier.Detail, -100, MostCelsius);
    internal static readonly int FanSpeed = Add(FanSpeedRatio, GpuTier.Detail, 0, 2);
    internal static readonly int Encoder = Ratio(EngineUtilizationRatio, GpuTier.Detail, ("engine", "encoder"));
    internal static readonly int Decoder = Ratio(EngineUtilizationRatio, GpuTier.Detail, ("engine", "decoder"));
    internal static readonly int Jpeg = Ratio(EngineUtilizationRatio, GpuTier.Detail, ("engine", "jpeg"));
    internal static readonly int OpticalFlow = Ratio(EngineUtilizationRatio, GpuTier.Detail, ("engine", "optical_flow"));
    internal static readonly int FirstActivity = AddActivities();
    internal static readonly int FirstEcc = AddEcc();
    internal static readonly int RemappedCorrectable = Add(RemappedRows, GpuTier.Detail, 0, 1e9, ("cause", "correctable"));
    internal static readonly int RemappedUncorrectable = Add(RemappedRows, GpuTier.Detail, 0, 1e9, ("cause", "uncorrectable"));
    internal static readonly int RemapPending = Add(RowRemapPending, GpuTier.Detail, 0, 1);
    internal static readonly int RemapFailed = Add(RowRemapFailed, GpuTier.Detail, 0, 1);
    internal static readonly int NvLinkCrcFlit = Add(NvLinkErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "crc_flit"));
    internal static readonly int NvLinkCrcData = Add(NvLinkErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "crc_data"));
    internal static readonly int NvLinkReplay = Add(NvLinkErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "replay"));
    internal static readonly int NvLinkRecovery = Add(NvLinkErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "recovery"));
    internal static readonly int FirstLinkUp = AddLinks(GpuTier.Detail);
    internal static readonly int PcieReplays = Add(PcieReplaysTotal, GpuTier.Detail, 0, Any);
    internal static readonly int PcieCorrectable = Add(PcieErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "correctable"));
    internal static readonly int PcieNonFatal = Add(PcieErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "non_fatal"));
    internal static readonly int PcieFatal = Add(PcieErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "fatal"));
    internal static readonly int PcieLinkRecovery = Add(PcieErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "link_recovery"));
    internal static readonly int PcieGeneration = Add(PcieLinkGeneration, GpuTier.Detail, 1, 15);
    internal static readonly int PcieWidth = Add(PcieLinkWidth, GpuTier.Detail, 1, 64);
    internal static readonly int ProcessCount = Add(Processes, GpuTier.Detail, 0, 1e6);

    internal static readonly int PowerLimitCurrent = Limit("current");
    internal static readonly int PowerLimitRequested = Limit("requested");
    internal static readonly int PowerLimitDefault = Limit("default");
    internal static readonly int PowerLimitMin = Limit("min");
    internal static readonly int PowerLimitMax = Limit("max");
    internal static readonly int FirstMaxClock = AddMaxClocks();
    internal static readonly int ShutdownMargin = MarginAt("shutdown");
    internal static readonly int SlowdownMargin = MarginAt("slowdown");
    internal static readonly int MemoryMaxMargin = MarginAt("memory_max");
    internal static readonly int GpuMaxMargin = MarginAt("gpu_max");
    internal static readonly int EccCurrent = Add(EccMode, GpuTier.Slow, 0, 1, ("state", "current"));
    internal static readonly int EccPending = Add(EccMode, GpuTier.Slow, 0, 1, ("state", "pending"));
    internal static readonly int SramThreshold = Add(SramThresholdExceeded, GpuTier.Slow, 0, 1);
    internal static readonly int FirstRemapBank = AddEach(RowRemapBanks, GpuTier.Slow, 0, 1e6, "spare", "max", "high", "partial", "low", "none");
    internal static readonly int RetiredCorrected = Add(RetiredPages, GpuTier.Slow, 0, 1e6, ("cause", "corrected"));
    internal static readonly int RetiredUncorrected = Add(RetiredPages, GpuTier.Slow, 0, 1e6, ("cause", "uncorrected"));
    internal static readonly int RetiredPending = Add(RetiredPagesPending, GpuTier.Slow, 0, 1);
    internal static readonly int FirstRepair = AddEach(RepairPending, GpuTier.Slow, 0, 1, "part", "channel", "tpc");
    internal static readonly int FirstLinkErrors = AddLinkErrors();
    internal static readonly int Fabric = Add(FabricState, GpuTier.Slow, 0, 255);
    internal static readonly int FabricHealth = Add(FabricHealthMask, GpuTier.Slow, 0, uint.MaxValue);
    internal static readonly int PcieGenerationMax = Add(PcieLinkGenerationMax, GpuTier.Slow, 1, 15);
    internal static readonly int PcieWidthMax = Add(PcieLinkWidthMax, GpuTier.Slow, 1, 64);
    internal static readonly int Bar1Used = Add(Bar1UsedBytes, GpuTier.Slow, 0, MostBytes);
    internal static readonly int Bar1Total = Add(Bar1TotalBytes, GpuTier.Slow, 0, MostBytes);
    internal static readonly int Persistence = Add(PersistenceMode, GpuTier.Slow, 0, 1);
    internal static readonly int Compute = Add(ComputeMode, GpuTier.Slow, 0, 15);
    internal static readonly int MigCurrent = Add(MigMode, GpuTier.Slow, 0, 1, ("state", "current"));
    internal static readonly int MigPending = Add(MigMode, GpuTier.Slow, 0, 1, ("state", "pending"));
    internal static readonly int MigCount = Add(MigInstances, GpuTier.Slow, 0, 64);
    internal static readonly int FirstFieldLatency = Table.Count;

    /// <summary>GPM metrics (nvmlGpmMetricId_t) in the order of their columns from <see cref="FirstActivity"/>.</summary>
    internal static readonly uint[] ActivityMetrics = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13];

    internal static readonly IReadOnlyList<GpuColumn> All = Complete();

    /// <summary>The column of a field's latency, by the field's place in <see cref="GpuFields.Timed"/>.</summary>
    internal static int FieldLatency(int timed) => FirstFieldLatency + timed;

    /// <summary>nvmlMemoryLocation_t: device memory and SRAM. Volatile and aggregate, corrected and uncorrected of each, after the four totals.</summary>
    internal static int Ecc(int location, bool uncorrected, bool aggregate) => FirstEcc + (location * 4) + (aggregate ? 2 : 0) + (uncorrected ? 1 : 0);

    private static List<GpuColumn> Complete()
    {
        foreach (GpuField field in GpuFields.Timed)
        {
            Add(FieldLatencySeconds, GpuTier.Slow, 0, 3600, ("field", field.Id.ToString()));
        }

        return Table.Count <= GpuBlock.MostColumns ? Table : throw new InvalidOperationException($"BUG: {Table.Count} columns, room for {GpuBlock.MostColumns}");
    }

    private static int Add(MetricDefinition metric, GpuTier tier, double min, double max, params (string Name, string Value)[] labels)
    {
        Table.Add(new GpuColumn(metric, [.. labels.Select(label => new Label(label.Name, label.Value))], tier, min, max));
        return Table.Count - 1;
    }

    private static int Ratio(MetricDefinition metric, GpuTier tier, params (string Name, string Value)[] labels) => Add(metric, tier, 0, 1, labels);

    private static int Throttled(string reason) => Add(ThrottleSecondsTotal, GpuTier.Fast, 0, Any, ("reason", reason));

    private static int Limit(string which) => Add(PowerLimitWatts, GpuTier.Slow, 0, MostWatts, ("limit", which));

    private static int MarginAt(string which) => Add(TemperatureLimitCelsius, GpuTier.Slow, -100, MostCelsius, ("limit", which));

    private static int AddEach(MetricDefinition metric, GpuTier tier, double min, double max, string label, params string[] values)
    {
        int first = Table.Count;
        foreach (string value in values)
        {
            Add(metric, tier, min, max, (label, value));
        }

        return first;
    }

    /// <summary>How many of nvmlClocksEventReasons' bits are known.</summary>
    internal const int ThrottleReasons = 9;

    // In the order of the bits.
    private static int AddThrottle() => AddEach(
        ThrottleActive, GpuTier.Fast, 0, 1, "reason", "idle", "applications_clocks", "sw_power_cap", "hw_slowdown", "sync_boost", "sw_thermal", "hw_thermal", "hw_power_brake", "display");

    private static int AddActivities() => AddEach(
        ActivityRatio, GpuTier.Detail, 0, 1.05, "part", "graphics", "sm", "sm_occupancy", "integer", "tensor", "tensor_fp64", "tensor_fp16", "tensor_int8", "dram", "fp64", "fp32", "fp16");

    private static int AddMaxClocks() => AddEach(ClockMaxHertz, GpuTier.Slow, 0, MostHertz, "clock", "graphics", "sm", "memory", "video");

    private static int AddEcc()
    {
        int first = Table.Count;
        foreach (string location in new[] { "all", "dram", "sram" })
        {
            foreach (string since in new[] { "load", "life" })
            {
                Add(EccErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "corrected"), ("location", location), ("since", since));
                Add(EccErrorsTotal, GpuTier.Detail, 0, Any, ("kind", "uncorrected"), ("location", location), ("since", since));
            }
        }

        return first;
    }

    private static int AddLinks(GpuTier tier)
    {
        int first = Table.Count;
        for (int link = 0; link < Links; link++)
        {
            Add(NvLinkUp, tier, 0, 1, ("link", link.ToString()));
        }

        return first;
    }

    private static int AddLinkErrors()
    {
        int first = Table.Count;
        foreach (string kind in new[] { "replay", "recovery", "crc" })
        {
            for (int link = 0; link < Links; link++)
            {
                Add(NvLinkLinkErrorsTotal, GpuTier.Slow, 0, Any, ("kind", kind), ("link", link.ToString()));
            }
        }

        return first;
    }
}
