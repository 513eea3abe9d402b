using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Block devices, from /proc/diskstats (Documentation/admin-guide/iostats.rst of the kernel).</summary>
public static class DiskMetrics
{
    // The kernel counts times in milliseconds, so thousandths of a second lose nothing.
    private const uint Milliseconds = 1000;

    /// <summary>In the order of the columns of /proc/diskstats after the device name.</summary>
    public static readonly MetricDefinition[] InKernelOrder =
    [
        Counter("node_disk_reads_completed_total", Unit.None, 1, "Reads completed.", "device"),
        Counter("node_disk_reads_merged_total", Unit.None, 1, "Reads merged with an adjacent one before they were issued.", "device"),
        Counter("node_disk_read_bytes_total", Unit.Bytes, 1, "Bytes read (sectors of 512 bytes).", "device"),
        Counter("node_disk_read_time_seconds_total", Unit.Seconds, Milliseconds, "Time spent by all reads; parallel reads add up.", "device"),
        Counter("node_disk_writes_completed_total", Unit.None, 1, "Writes completed.", "device"),
        Counter("node_disk_writes_merged_total", Unit.None, 1, "Writes merged with an adjacent one before they were issued.", "device"),
        Counter("node_disk_written_bytes_total", Unit.Bytes, 1, "Bytes written (sectors of 512 bytes).", "device"),
        Counter("node_disk_write_time_seconds_total", Unit.Seconds, Milliseconds, "Time spent by all writes; parallel writes add up.", "device"),
        Gauge("node_disk_io_now", Unit.None, 1, "Requests in flight.", "device"),
        Counter("node_disk_io_time_seconds_total", Unit.Seconds, Milliseconds, "Time during which a request was in flight.", "device"),
        Counter("node_disk_io_time_weighted_seconds_total", Unit.Seconds, Milliseconds, "Time in flight multiplied by the requests in flight.", "device"),
        Counter("node_disk_discards_completed_total", Unit.None, 1, "Discards completed (kernel 4.18).", "device"),
        Counter("node_disk_discards_merged_total", Unit.None, 1, "Discards merged with an adjacent one (kernel 4.18).", "device"),
        Counter("node_disk_discarded_sectors_total", Unit.None, 1, "Sectors of 512 bytes discarded (kernel 4.18).", "device"),
        Counter("node_disk_discard_time_seconds_total", Unit.Seconds, Milliseconds, "Time spent by all discards (kernel 4.18).", "device"),
        Counter("node_disk_flush_requests_total", Unit.None, 1, "Cache flushes completed (kernel 5.5).", "device"),
        Counter("node_disk_flush_requests_time_seconds_total", Unit.Seconds, Milliseconds, "Time spent by all cache flushes (kernel 5.5).", "device"),
    ];

    public static readonly MetricFamily Family = new("disk", "Block devices; RAM disks, loop devices and partitions are left out.", InKernelOrder);
}
