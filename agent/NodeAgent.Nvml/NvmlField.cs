namespace NodeAgent.Nvml;

/// <summary>Field ids of nvml.h (NVML_FI_DEV_*) that the agent reads.</summary>
public static class NvmlField
{
    /// <summary>Scope that stands for all links together.</summary>
    public const uint AllLinks = uint.MaxValue;

    public const uint EccModeCurrent = 1;
    public const uint EccModePending = 2;
    public const uint EccCorrectedVolatile = 3;
    public const uint EccUncorrectedVolatile = 4;
    public const uint EccCorrectedAggregate = 5;
    public const uint EccUncorrectedAggregate = 6;
    public const uint RetiredPagesCorrected = 29;
    public const uint RetiredPagesUncorrected = 30;
    public const uint RetiredPagesPending = 31;
    public const uint NvLinkCrcFlitErrors = 38;
    public const uint NvLinkCrcDataErrors = 45;
    public const uint NvLinkReplayErrors = 52;
    public const uint NvLinkRecoveryErrors = 59;
    public const uint ThrottlePowerNs = 74;
    public const uint ThrottleThermalNs = 75;
    public const uint ThrottleSyncBoostNs = 76;
    public const uint ThrottleBoardLimitNs = 77;
    public const uint ThrottleLowUtilizationNs = 78;
    public const uint ThrottleReliabilityNs = 79;
    public const uint MemoryTemperature = 82;
    public const uint TotalEnergyMj = 83;
    public const uint PcieReplays = 94;
    public const uint NvLinkDataTransmitKib = 138;
    public const uint NvLinkDataReceiveKib = 139;
    public const uint NvLinkRawTransmitKib = 140;
    public const uint NvLinkRawReceiveKib = 141;
    public const uint RemappedCorrectable = 142;
    public const uint RemappedUncorrectable = 143;
    public const uint RemapPending = 144;
    public const uint RemapFailed = 145;
    public const uint NvLinkDlReplay = 161;
    public const uint NvLinkDlRecovery = 162;
    public const uint NvLinkDlCrc = 163;
    public const uint NvLinkState = 165;
    public const uint PcieLinkRecovery = 169;
    public const uint PcieCorrectableErrors = 173;
    public const uint PcieNonFatalErrors = 179;
    public const uint PcieFatalErrors = 180;
    public const uint PowerAverage = 185;
    public const uint PowerInstant = 186;
    public const uint PowerMinLimit = 187;
    public const uint PowerMaxLimit = 188;
    public const uint PowerDefaultLimit = 189;
    public const uint PowerCurrentLimit = 190;
    public const uint PowerRequestedLimit = 192;
    public const uint ShutdownMargin = 193;
    public const uint SlowdownMargin = 194;
    public const uint MemoryMaxMargin = 195;
    public const uint GpuMaxMargin = 196;
    public const uint PcieTransmitBytes = 197;
    public const uint PcieReceiveBytes = 198;
    public const uint RecoveryAction = 230;
    public const uint ThrottleSoftwareThermalNs = 269;
    public const uint ThrottleHardwareThermalNs = 270;
    public const uint ThrottlePowerBrakeNs = 271;
}
