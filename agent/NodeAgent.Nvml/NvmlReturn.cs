namespace NodeAgent.Nvml;

/// <summary>What a call of NVML came to; numbers are those of nvmlReturn_t (nvml.h 13.3).</summary>
public enum NvmlReturn : uint
{
    Success = 0,
    Uninitialized = 1,
    InvalidArgument = 2,
    NotSupported = 3,
    NoPermission = 4,
    AlreadyInitialized = 5,
    NotFound = 6,
    InsufficientSize = 7,
    InsufficientPower = 8,
    DriverNotLoaded = 9,
    Timeout = 10,
    IrqIssue = 11,
    LibraryNotFound = 12,
    FunctionNotFound = 13,
    CorruptedInforom = 14,
    GpuIsLost = 15,
    ResetRequired = 16,
    OperatingSystem = 17,
    LibraryVersionMismatch = 18,
    InUse = 19,
    Memory = 20,
    NoData = 21,
    VgpuEccNotSupported = 22,
    InsufficientResources = 23,
    FrequencyNotSupported = 24,
    ArgumentVersionMismatch = 25,
    Deprecated = 26,
    NotReady = 27,
    GpuNotFound = 28,
    InvalidState = 29,
    ResetTypeNotSupported = 30,
    Unknown = 999,
}

/// <summary>What a result means for whoever goes on calling.</summary>
public static class NvmlReturns
{
    /// <summary>This GPU cannot give this, now and until something about it changes: not asked again. It is not an error and not zero.</summary>
    public static bool IsAbsent(this NvmlReturn result) =>
        result is NvmlReturn.NotSupported or NvmlReturn.FunctionNotFound or NvmlReturn.NoPermission or NvmlReturn.Deprecated
            or NvmlReturn.ArgumentVersionMismatch or NvmlReturn.VgpuEccNotSupported;

    /// <summary>This GPU answers nothing until it is reset or the host restarted.</summary>
    public static bool IsLost(this NvmlReturn result) => result is NvmlReturn.GpuIsLost or NvmlReturn.ResetRequired or NvmlReturn.GpuNotFound;

    /// <summary>
    /// All handles are worth nothing: the driver went away or was replaced. Unknown belongs here because it is what old handles get from
    /// a driver that was loaded again.
    /// </summary>
    public static bool EndsGeneration(this NvmlReturn result) =>
        result is NvmlReturn.Uninitialized or NvmlReturn.DriverNotLoaded or NvmlReturn.LibraryVersionMismatch or NvmlReturn.Unknown;

    /// <summary>In a person's words: "GPU lost (15)".</summary>
    public static string Describe(this NvmlReturn result) => $"{Words(result)} ({(uint)result})";

    private static string Words(NvmlReturn result) => result switch
    {
        NvmlReturn.Success => "success",
        NvmlReturn.Uninitialized => "library not initialised",
        NvmlReturn.InvalidArgument => "invalid argument",
        NvmlReturn.NotSupported => "not supported",
        NvmlReturn.NoPermission => "no permission",
        NvmlReturn.AlreadyInitialized => "already initialised",
        NvmlReturn.NotFound => "not found",
        NvmlReturn.InsufficientSize => "insufficient size",
        NvmlReturn.InsufficientPower => "power cables not attached properly",
        NvmlReturn.DriverNotLoaded => "driver not loaded",
        NvmlReturn.Timeout => "timeout",
        NvmlReturn.IrqIssue => "interrupt issue",
        NvmlReturn.LibraryNotFound => "library not found",
        NvmlReturn.FunctionNotFound => "function not in this library",
        NvmlReturn.CorruptedInforom => "corrupted inforom",
        NvmlReturn.GpuIsLost => "GPU lost",
        NvmlReturn.ResetRequired => "GPU needs a reset",
        NvmlReturn.OperatingSystem => "refused by the operating system",
        NvmlReturn.LibraryVersionMismatch => "library and driver are of different versions",
        NvmlReturn.InUse => "in use",
        NvmlReturn.Memory => "out of memory",
        NvmlReturn.NoData => "no data",
        NvmlReturn.VgpuEccNotSupported => "ECC not supported with vGPU",
        NvmlReturn.InsufficientResources => "insufficient resources",
        NvmlReturn.FrequencyNotSupported => "frequency not supported",
        NvmlReturn.ArgumentVersionMismatch => "struct version not known to this library",
        NvmlReturn.Deprecated => "deprecated",
        NvmlReturn.NotReady => "not ready",
        NvmlReturn.GpuNotFound => "no GPU found",
        NvmlReturn.InvalidState => "invalid state",
        NvmlReturn.ResetTypeNotSupported => "reset type not supported",
        _ => "unknown error",
    };
}
