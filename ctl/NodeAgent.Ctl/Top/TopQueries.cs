using NodeAgent.V1;

namespace NodeAgent.Ctl.Top;

/// <summary>What one refresh of <c>nodectl top</c> asks. To add a column (GPU): a query here, a property of <see cref="TopItem"/>, a row in <see cref="TopListing"/>.</summary>
/// <param name="Key">Names the answer for <see cref="TopSource"/>.</param>
/// <param name="Spec">One value a node, or one a node and <c>mode</c>.</param>
internal sealed record TopQuery(string Key, QuerySpec Spec)
{
    // Loopback, and what sits on top of physical interfaces or disks and would count the same bytes twice.
    private const string PhysicalNetwork = "device!~\"lo|veth.*|docker.*|br-.*|virbr.*|cni.*|cali.*|flannel.*|bond.*|team.*|dummy.*|ifb.*|tun.*|tap.*|vnet.*|sit.*|.*\\\\..*\"";
    private const string PhysicalDisk = "device!~\"dm-.*|md.*|loop.*|ram.*|zram.*|sr.*|fd.*\"";

    public static IReadOnlyList<TopQuery> All(TimeSpan window) =>
    [
        new("cpu", Rate("node_cpu_seconds_total", window, "node", "mode")),
        new("memTotal", Sum("node_memory_MemTotal_bytes")),
        new("memAvailable", Sum("node_memory_MemAvailable_bytes")),
        new("load1", Sum("node_load1")),
        new("rx", Rate($"node_network_receive_bytes_total{{{PhysicalNetwork}}}", window, "node")),
        new("tx", Rate($"node_network_transmit_bytes_total{{{PhysicalNetwork}}}", window, "node")),
        new("read", Rate($"node_disk_read_bytes_total{{{PhysicalDisk}}}", window, "node")),
        new("written", Rate($"node_disk_written_bytes_total{{{PhysicalDisk}}}", window, "node")),
        new("diskBusy", Largest($"node_disk_io_time_seconds_total{{{PhysicalDisk}}}", window)),
        new("psiCpu", Rate("node_pressure_cpu_waiting_seconds_total", window, "node")),
        new("psiMemory", Rate("node_pressure_memory_waiting_seconds_total", window, "node")),
        new("psiIo", Rate("node_pressure_io_waiting_seconds_total", window, "node")),
    ];

    private static QuerySpec Rate(string selector, TimeSpan window, params ReadOnlySpan<string> by)
    {
        QuerySpec spec = new() { Selector = selector, Function = WindowFunction.Rate, WindowMs = (ulong)window.TotalMilliseconds, Aggregation = Aggregation.Sum };
        foreach (string label in by) spec.By.Add(label);
        return spec;
    }

    private static QuerySpec Largest(string selector, TimeSpan window)
    {
        QuerySpec spec = Rate(selector, window, "node");
        spec.Aggregation = Aggregation.Max;
        return spec;
    }

    // Last values of one series a node; the sum only keeps the label `node` and drops the others.
    private static QuerySpec Sum(string selector)
    {
        QuerySpec spec = new() { Selector = selector, Function = WindowFunction.Last, Aggregation = Aggregation.Sum };
        spec.By.Add("node");
        return spec;
    }
}
