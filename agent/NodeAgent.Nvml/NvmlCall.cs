namespace NodeAgent.Nvml;

/// <summary>
/// The calls the agent makes. A call has several exports over the years; <see cref="NvmlExports"/> knows which shape each one has.
/// Numbers are written where other processes read them and only grow.
/// </summary>
public enum NvmlCall : byte
{
    None = 0,
    Init,
    Shutdown,
    SystemGetDriverVersion,
    SystemGetNvmlVersion,
    DeviceGetCount,
    DeviceGetHandleByIndex,
    DeviceGetHandleByPciBusId,
    DeviceGetUuid,
    DeviceGetName,
    DeviceGetSerial,
    DeviceGetVbiosVersion,
    DeviceGetMinorNumber,
    DeviceGetPciInfo,
    DeviceGetArchitecture,
    DeviceGetFieldValues,
    DeviceGetUtilizationRates,
    DeviceGetMemoryInfoV2,
    DeviceGetMemoryInfo,
    DeviceGetBar1MemoryInfo,
    DeviceGetClockInfo,
    DeviceGetMaxClockInfo,
    DeviceGetClocksEventReasons,
    DeviceGetTemperatureV,
    DeviceGetTemperature,
    DeviceGetMarginTemperature,
    DeviceGetPowerUsage,
    DeviceGetTotalEnergyConsumption,
    DeviceGetEnforcedPowerLimit,
    DeviceGetPerformanceState,
    DeviceGetPersistenceMode,
    DeviceGetComputeMode,
    DeviceGetCurrentPcieGeneration,
    DeviceGetMaxPcieGeneration,
    DeviceGetCurrentPcieWidth,
    DeviceGetMaxPcieWidth,
    DeviceGetFanSpeed,
    DeviceGetEncoderUtilization,
    DeviceGetDecoderUtilization,
    DeviceGetJpgUtilization,
    DeviceGetOfaUtilization,
    DeviceGetMemoryErrorCounter,
    DeviceGetSramEccErrorStatus,
    DeviceGetRowRemapperHistogram,
    DeviceGetRepairStatus,
    DeviceGetNvLinkState,
    DeviceGetGpuFabricInfo,
    DeviceGetMigMode,
    DeviceGetMaxMigDeviceCount,
    DeviceGetMigDeviceHandleByIndex,
    DeviceGetGpuInstanceId,
    DeviceGetComputeInstanceId,
    DeviceGetComputeProcesses,
    DeviceGetGraphicsProcesses,
    DeviceGetProcessUtilization,
    EventSetCreate,
    EventSetFree,
    DeviceGetSupportedEventTypes,
    DeviceRegisterEvents,
    EventSetWait,
    GpmQueryDeviceSupport,
    GpmSampleAlloc,
    GpmSampleFree,
    GpmSampleGet,
    GpmMigSampleGet,
    GpmMetricsGet,
    SetPowerManagementLimit,
    SetPersistenceMode,
    SetComputeMode,
    SetGpuLockedClocks,
    ResetGpuLockedClocks,
    SetMemoryLockedClocks,
    ResetMemoryLockedClocks,
    SetEccMode,
    ClearEccErrorCounts,
    SetMigMode,
    DeviceGetEccMode,
}

/// <summary>Names of the exports behind each call, newest first. The unversioned names of nvml.h are macros; these are symbols.</summary>
public static class NvmlExports
{
    /// <summary>One more than the largest call.</summary>
    public const int CallCount = (int)NvmlCall.DeviceGetEccMode + 1;

    private static readonly string[][] Names = Build();

    /// <summary>The exports of a call, newest first.</summary>
    public static IReadOnlyList<string> Of(NvmlCall call) => Names[(int)call];

    /// <summary>A call's name without its version: "DeviceGetUtilizationRates".</summary>
    public static string NameOf(NvmlCall call) => call is > NvmlCall.None and <= NvmlCall.DeviceGetEccMode ? call.ToString() : "none";

    private static string[][] Build()
    {
        string[][] names = new string[CallCount][];
        for (int i = 0; i < CallCount; i++)
        {
            names[i] = [.. ExportsOf((NvmlCall)i).Select(name => "nvml" + name)];
        }

        return names;
    }

    private static string[] ExportsOf(NvmlCall call) => call switch
    {
        NvmlCall.None => [],
        NvmlCall.Init => ["InitWithFlags", "Init_v2"],
        NvmlCall.SystemGetNvmlVersion => ["SystemGetNVMLVersion"],
        NvmlCall.DeviceGetCount => ["DeviceGetCount_v2", "DeviceGetCount"],
        NvmlCall.DeviceGetHandleByIndex => ["DeviceGetHandleByIndex_v2", "DeviceGetHandleByIndex"],
        NvmlCall.DeviceGetHandleByPciBusId => ["DeviceGetHandleByPciBusId_v2", "DeviceGetHandleByPciBusId"],
        NvmlCall.DeviceGetUuid => ["DeviceGetUUID"],
        NvmlCall.DeviceGetPciInfo => ["DeviceGetPciInfo_v3"],
        NvmlCall.DeviceGetMemoryInfoV2 => ["DeviceGetMemoryInfo_v2"],
        NvmlCall.DeviceGetBar1MemoryInfo => ["DeviceGetBAR1MemoryInfo"],
        NvmlCall.DeviceGetClocksEventReasons => ["DeviceGetCurrentClocksEventReasons", "DeviceGetCurrentClocksThrottleReasons"],
        NvmlCall.DeviceGetCurrentPcieGeneration => ["DeviceGetCurrPcieLinkGeneration"],
        NvmlCall.DeviceGetMaxPcieGeneration => ["DeviceGetMaxPcieLinkGeneration"],
        NvmlCall.DeviceGetCurrentPcieWidth => ["DeviceGetCurrPcieLinkWidth"],
        NvmlCall.DeviceGetMaxPcieWidth => ["DeviceGetMaxPcieLinkWidth"],
        NvmlCall.DeviceGetGpuFabricInfo => ["DeviceGetGpuFabricInfoV"],
        NvmlCall.DeviceGetComputeProcesses => ["DeviceGetComputeRunningProcesses_v3", "DeviceGetComputeRunningProcesses_v2", "DeviceGetComputeRunningProcesses"],
        NvmlCall.DeviceGetGraphicsProcesses => ["DeviceGetGraphicsRunningProcesses_v3", "DeviceGetGraphicsRunningProcesses_v2", "DeviceGetGraphicsRunningProcesses"],
        NvmlCall.EventSetWait => ["EventSetWait_v2", "EventSetWait"],
        NvmlCall.SetPowerManagementLimit => ["DeviceSetPowerManagementLimit_v2", "DeviceSetPowerManagementLimit"],
        NvmlCall.ClearEccErrorCounts => ["DeviceClearEccErrorCounts"],
        >= NvmlCall.SetPersistenceMode and <= NvmlCall.SetMigMode => ["Device" + call],
        _ => [call.ToString()],
    };
}
