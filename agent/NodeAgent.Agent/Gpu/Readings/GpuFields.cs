using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Readings;

/// <summary>One field of nvmlDeviceGetFieldValues and the column it fills.</summary>
/// <param name="Id">See <see cref="NvmlField"/>.</param>
/// <param name="Column">Where the value goes.</param>
/// <param name="Factor">What the driver's unit is multiplied with to become the metric's.</param>
/// <param name="Scope">A link, or all of them.</param>
internal readonly record struct GpuField(uint Id, int Column, double Factor, uint Scope = 0);

/// <summary>
/// Which fields each tier asks for; one call a GPU and tier. Made anew each time they are asked for, at start-up only: GpuColumns needs them
/// while it is being made, so nothing here may be static.
/// </summary>
internal static class GpuFields
{
    private const double Milli = 1e-3;
    private const double Nano = 1e-9;
    private const double Kibi = 1024;

    internal static GpuField[] Fast =>
    [
        new(NvmlField.TotalEnergyMj, GpuColumns.Energy, Milli),
        new(NvmlField.PowerInstant, GpuColumns.Power, Milli),
        new(NvmlField.PowerAverage, GpuColumns.PowerAverage, Milli),
        new(NvmlField.MemoryTemperature, GpuColumns.MemoryTemperature, 1),
        new(NvmlField.ThrottlePowerNs, GpuColumns.ThrottlePower, Nano),
        new(NvmlField.ThrottleThermalNs, GpuColumns.ThrottleThermal, Nano),
        new(NvmlField.ThrottleSyncBoostNs, GpuColumns.ThrottleSyncBoost, Nano),
        new(NvmlField.ThrottleBoardLimitNs, GpuColumns.ThrottleBoardLimit, Nano),
        new(NvmlField.ThrottleLowUtilizationNs, GpuColumns.ThrottleLowUtilization, Nano),
        new(NvmlField.ThrottleReliabilityNs, GpuColumns.ThrottleReliability, Nano),
        new(NvmlField.ThrottleSoftwareThermalNs, GpuColumns.ThrottleSoftwareThermal, Nano),
        new(NvmlField.ThrottleHardwareThermalNs, GpuColumns.ThrottleHardwareThermal, Nano),
        new(NvmlField.ThrottlePowerBrakeNs, GpuColumns.ThrottlePowerBrake, Nano),
        new(NvmlField.NvLinkDataTransmitKib, GpuColumns.NvLinkTransmit, Kibi, NvmlField.AllLinks),
        new(NvmlField.NvLinkDataReceiveKib, GpuColumns.NvLinkReceive, Kibi, NvmlField.AllLinks),
        new(NvmlField.NvLinkRawTransmitKib, GpuColumns.NvLinkRawTransmit, Kibi, NvmlField.AllLinks),
        new(NvmlField.NvLinkRawReceiveKib, GpuColumns.NvLinkRawReceive, Kibi, NvmlField.AllLinks),
        new(NvmlField.PcieTransmitBytes, GpuColumns.PcieTransmit, 1),
        new(NvmlField.PcieReceiveBytes, GpuColumns.PcieReceive, 1),
        new(NvmlField.RecoveryAction, GpuColumns.Recovery, 1),
    ];

    private static GpuField[] DetailOfGpu =>
    [
        new(NvmlField.EccCorrectedVolatile, GpuColumns.Ecc(0, uncorrected: false, aggregate: false), 1),
        new(NvmlField.EccUncorrectedVolatile, GpuColumns.Ecc(0, uncorrected: true, aggregate: false), 1),
        new(NvmlField.EccCorrectedAggregate, GpuColumns.Ecc(0, uncorrected: false, aggregate: true), 1),
        new(NvmlField.EccUncorrectedAggregate, GpuColumns.Ecc(0, uncorrected: true, aggregate: true), 1),
        new(NvmlField.RemappedCorrectable, GpuColumns.RemappedCorrectable, 1),
        new(NvmlField.RemappedUncorrectable, GpuColumns.RemappedUncorrectable, 1),
        new(NvmlField.RemapPending, GpuColumns.RemapPending, 1),
        new(NvmlField.RemapFailed, GpuColumns.RemapFailed, 1),
        new(NvmlField.NvLinkCrcFlitErrors, GpuColumns.NvLinkCrcFlit, 1),
        new(NvmlField.NvLinkCrcDataErrors, GpuColumns.NvLinkCrcData, 1),
        new(NvmlField.NvLinkReplayErrors, GpuColumns.NvLinkReplay, 1),
        new(NvmlField.NvLinkRecoveryErrors, GpuColumns.NvLinkRecovery, 1),
        new(NvmlField.PcieReplays, GpuColumns.PcieReplays, 1),
        new(NvmlField.PcieCorrectableErrors, GpuColumns.PcieCorrectable, 1),
        new(NvmlField.PcieNonFatalErrors, GpuColumns.PcieNonFatal, 1),
        new(NvmlField.PcieFatalErrors, GpuColumns.PcieFatal, 1),
        new(NvmlField.PcieLinkRecovery, GpuColumns.PcieLinkRecovery, 1),
    ];

    private static GpuField[] SlowOfGpu =>
    [
        new(NvmlField.PowerCurrentLimit, GpuColumns.PowerLimitCurrent, Milli),
        new(NvmlField.PowerRequestedLimit, GpuColumns.PowerLimitRequested, Milli),
        new(NvmlField.PowerDefaultLimit, GpuColumns.PowerLimitDefault, Milli),
        new(NvmlField.PowerMinLimit, GpuColumns.PowerLimitMin, Milli),
        new(NvmlField.PowerMaxLimit, GpuColumns.PowerLimitMax, Milli),
        new(NvmlField.ShutdownMargin, GpuColumns.ShutdownMargin, 1),
        new(NvmlField.SlowdownMargin, GpuColumns.SlowdownMargin, 1),
        new(NvmlField.MemoryMaxMargin, GpuColumns.MemoryMaxMargin, 1),
        new(NvmlField.GpuMaxMargin, GpuColumns.GpuMaxMargin, 1),
        new(NvmlField.EccModeCurrent, GpuColumns.EccCurrent, 1),
        new(NvmlField.EccModePending, GpuColumns.EccPending, 1),
        new(NvmlField.RetiredPagesCorrected, GpuColumns.RetiredCorrected, 1),
        new(NvmlField.RetiredPagesUncorrected, GpuColumns.RetiredUncorrected, 1),
        new(NvmlField.RetiredPagesPending, GpuColumns.RetiredPending, 1),
    ];

    /// <summary>Those whose latency by the driver is passed on; links are many and alike.</summary>
    internal static IEnumerable<GpuField> Timed => [.. Fast, .. DetailOfGpu, .. SlowOfGpu];

    /// <summary>How many of the detail tier's fields are timed; they come first. So it is in the slow tier.</summary>
    internal static int TimedDetail => DetailOfGpu.Length;

    /// <inheritdoc cref="TimedDetail"/>
    internal static int TimedSlow => SlowOfGpu.Length;

    internal static GpuField[] Detail => [.. DetailOfGpu, .. OfEachLink(NvmlField.NvLinkState, GpuColumns.FirstLinkUp)];

    internal static GpuField[] Slow =>
    [
        .. SlowOfGpu,
        .. OfEachLink(NvmlField.NvLinkDlReplay, GpuColumns.FirstLinkErrors),
        .. OfEachLink(NvmlField.NvLinkDlRecovery, GpuColumns.FirstLinkErrors + GpuColumns.Links),
        .. OfEachLink(NvmlField.NvLinkDlCrc, GpuColumns.FirstLinkErrors + (2 * GpuColumns.Links)),
    ];

    private static IEnumerable<GpuField> OfEachLink(uint id, int firstColumn) =>
        Enumerable.Range(0, GpuColumns.Links).Select(link => new GpuField(id, firstColumn + link, 1, (uint)link));
}
