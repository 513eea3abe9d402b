using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>Events of the GPU reader: 2100 to 2149.</summary>
internal static partial class GpuReaderLog
{
    [LoggerMessage(EventId = 2100, EventName = "GpuReaderStarted", Level = LogLevel.Information, Message = "GPU reader {Pid} started with {Library}")]
    public static partial void ReaderStarted(this ILogger logger, int pid, string library);

    [LoggerMessage(EventId = 2101, EventName = "GpuReaderStalled", Level = LogLevel.Error,
        Message = "GPU reader {Pid} has been in {Call} of GPU {Pci} for {Seconds} s ({State}, {WaitChannel}); {Consequence}")]
    [EventHelp(
        Meaning = "NVML does not return. Host samples go on; the other GPUs are read by another process, this one is left out until the call returns.",
        Cause = "A sick GPU or driver. The event in the telemetry has the kernel stack.",
        Action = "Look for XIDs of that GPU; drain the node and reset the GPU. Do not kill the reader: killing a process inside the driver can freeze the GPU for good.")]
    public static partial void ReaderStalled(this ILogger logger, int pid, string call, string pci, long seconds, string state, string waitChannel, string consequence);

    [LoggerMessage(EventId = 2102, EventName = "GpuReaderReturned", Level = LogLevel.Information, Message = "GPU reader {Pid} returned from {Call} of GPU {Pci} after {Seconds} s")]
    public static partial void ReaderReturned(this ILogger logger, int pid, string call, string pci, long seconds);

    [LoggerMessage(EventId = 2103, EventName = "GpuReaderCrashed", Level = LogLevel.Error, Message = "GPU reader {Pid} ended with {ExitCode} in {Call} of GPU {Pci}: {Problem}; next start in {Seconds} s")]
    [EventHelp(
        Meaning = "The process that reads the GPUs is gone; host samples go on, GPU values are missing until it runs again.",
        Cause = "A fault of NVML or of the reader; 139 is an access violation inside the library.",
        Action = "If it repeats, compare the versions of library and driver; after three times in calls of one GPU that GPU is left out for ten minutes.")]
    public static partial void ReaderCrashed(this ILogger logger, int pid, int exitCode, string call, string pci, string problem, long seconds);

    [LoggerMessage(EventId = 2104, EventName = "GpuDriverUnavailable", Level = LogLevel.Warning, Message = "GPUs cannot be read: {Problem}")]
    [EventHelp(
        Meaning = "The agent runs without GPU values and tries again now and then.",
        Cause = "No NVIDIA driver, one that is not loaded, or one that was updated on disk and not yet reloaded.",
        Action = "On a host with GPUs install or load the driver; after an update reload its modules or reboot. On a host without, set gpu.enabled to never.")]
    public static partial void DriverUnavailable(this ILogger logger, string problem);

    [LoggerMessage(EventId = 2105, EventName = "GpuReaderNotStarted", Level = LogLevel.Error, Message = "the GPU reader could not be started: {Problem}")]
    [EventHelp(
        Meaning = "GPU values are missing; the agent tries again.",
        Cause = "The system refuses another process (limits on tasks or memory), or the program's file is gone.",
        Action = "Look at TasksMax and memory limits of the service.")]
    public static partial void ReaderNotStarted(this ILogger logger, string problem);

    [LoggerMessage(EventId = 2106, EventName = "GpuReaderBlocked", Level = LogLevel.Error, Message = "a second GPU reader, {Pid}, hangs in {Call}; no third is started until one of them returns")]
    [EventHelp(
        Meaning = "No GPU is read any more; host samples go on.",
        Cause = "The driver as a whole hangs, or a second GPU does.",
        Action = "Drain the node and reboot it; a power cycle if the reboot hangs.")]
    public static partial void ReaderBlocked(this ILogger logger, int pid, string call);

    [LoggerMessage(EventId = 2107, EventName = "GpuXidPolicyUnusable", Level = LogLevel.Warning, Message = "the XID policy {File} is not used: {Problem}")]
    [EventHelp(
        Meaning = "XIDs are judged by the catalogue alone.",
        Cause = "The file is missing or not of the expected form.",
        Action = "Mend the file; `nodectl explain xid N --policy FILE` shows what it does.")]
    public static partial void XidPolicyUnusable(this ILogger logger, string file, string problem);

    [LoggerMessage(EventId = 2108, EventName = "GpuLetGo", Level = LogLevel.Information, Message = "GPU {Pci} is let go of: nothing of the agent holds it")]
    public static partial void GpuLetGo(this ILogger logger, string pci);

    [LoggerMessage(EventId = 2109, EventName = "GpuReleaseOrderUnusable", Level = LogLevel.Warning, Message = "the order {File} is not obeyed in full: {Problem}")]
    [EventHelp(
        Meaning = "A GPU that somebody wants to have free is still held, or the answer could not be written.",
        Cause = "A line that names no GPU of this host, a file that others may write, or a folder that is full or read-only.",
        Action = "Write one bus id a line as nvidia-smi prints it, or \"all\"; see docs/gpu-release.md.")]
    public static partial void GpuReleaseOrderUnusable(this ILogger logger, string file, string problem);
}
