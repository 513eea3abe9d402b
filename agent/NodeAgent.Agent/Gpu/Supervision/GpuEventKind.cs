namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>Kinds of events about GPUs besides xid and sxid. Stable: detection and runbooks name them.</summary>
internal static class GpuEventKind
{
    /// <summary>A call into NVML did not return in time. call, pci, uuid, pid, seconds, state, wchan; the text has the kernel stack.</summary>
    internal const string ReaderStalled = "gpu_reader_stalled";

    /// <summary>A call that had hung returned. call, pci, seconds.</summary>
    internal const string ReaderReturned = "gpu_reader_returned";

    /// <summary>The GPU reader ended by itself. exit, call, pci.</summary>
    internal const string ReaderCrashed = "gpu_reader_crashed";

    /// <summary>NVML cannot be used: no library, no driver, or another version's. problem.</summary>
    internal const string DriverUnavailable = "gpu_driver_unavailable";

    /// <summary>The GPUs were taken hold of anew. reason, generation, gpus, driver.</summary>
    internal const string Generation = "gpu_generation";

    /// <summary>A GPU stopped answering. pci, uuid, state, code.</summary>
    internal const string Lost = "gpu_lost";

    /// <summary>A GPU answers again. pci, uuid, from.</summary>
    internal const string Recovered = "gpu_recovered";

    /// <summary>A GPU is on PCI and NVML does not know it. pci.</summary>
    internal const string Missing = "gpu_missing";

    /// <summary>A GPU gave a value that none can have; it was not passed on. pci, uuid, metric, value.</summary>
    internal const string ValueRejected = "gpu_value_rejected";

    /// <summary>The driver counted an uncorrectable memory error. pci, uuid.</summary>
    internal const string DoubleBitEcc = "gpu_double_bit_ecc";

    /// <summary>The driver asks for something else to be done to a GPU. pci, uuid, action.</summary>
    internal const string RecoveryAction = "gpu_recovery_action";

    /// <summary>Windows: the display driver wrote an error without an XID. event_id.</summary>
    internal const string DriverError = "gpu_driver_error";

    /// <summary>GPUs were let go of on order, or taken back. pci ("all" for all).</summary>
    internal const string Released = "gpu_released";

    /// <inheritdoc cref="Released"/>
    internal const string Reacquired = "gpu_reacquired";
}
