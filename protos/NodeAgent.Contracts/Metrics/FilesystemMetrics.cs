using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Mounted file systems, from statfs(2) of each mount point in /proc/self/mountinfo.</summary>
public static class FilesystemMetrics
{
    public static readonly MetricDefinition SizeBytes = Gauge(
        "node_filesystem_size_bytes", Unit.Bytes, 1, "Size of the file system.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition FreeBytes = Gauge(
        "node_filesystem_free_bytes", Unit.Bytes, 1, "Free space, including what is reserved for root.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition AvailableBytes = Gauge(
        "node_filesystem_avail_bytes", Unit.Bytes, 1, "Free space that users other than root may fill.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition Files = Gauge(
        "node_filesystem_files", Unit.None, 1, "Inodes the file system has.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition FilesFree = Gauge(
        "node_filesystem_files_free", Unit.None, 1, "Free inodes.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition ReadOnly = Gauge(
        "node_filesystem_readonly", Unit.None, 1, "1 where the mount or the file system behind it is read-only.", "device", "mountpoint", "fstype");

    public static readonly MetricDefinition DeviceError = Gauge(
        "node_filesystem_device_error", Unit.None, 1, "1 where statfs failed; the sizes then have no value.", "device", "mountpoint", "fstype");

    /// <summary>In the order the sampler adds them for each mount.</summary>
    public static readonly MetricDefinition[] PerMount = [SizeBytes, FreeBytes, AvailableBytes, Files, FilesFree, ReadOnly, DeviceError];

    public static readonly MetricFamily Family = new("filesystem", "Space and inodes of mounted file systems.", PerMount);
}
