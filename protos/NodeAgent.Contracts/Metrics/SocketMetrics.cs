using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Sockets by protocol, from /proc/net/sockstat and sockstat6, and the connection table, with node_exporter's names.</summary>
public static class SocketMetrics
{
    public const string Prefix = "node_sockstat_";

    public static readonly MetricDefinition ConntrackEntries = Gauge(
        "node_nf_conntrack_entries", Unit.None, 1, "Connections in the connection tracking table.");

    public static readonly MetricDefinition ConntrackLimit = Gauge(
        "node_nf_conntrack_entries_limit", Unit.None, 1, "Room in the connection tracking table; new connections are dropped when it is full.");

    public static readonly MetricFamily Family = new(
        "sockets",
        "Sockets by protocol and the connection tracking table.",
        [
            Of("sockets_used", "Sockets of all kinds."),
            Of("TCP_inuse", "TCP sockets over IPv4, without those in TIME_WAIT."),
            Of("TCP_orphan", "TCP sockets that no process holds any more."),
            Of("TCP_tw", "TCP sockets in TIME_WAIT."),
            Of("TCP_alloc", "TCP sockets of all states."),
            Of("TCP_mem", "Pages of memory held by TCP sockets."),
            Gauge(Prefix + "TCP_mem_bytes", Unit.Bytes, 1, "Memory held by TCP sockets."),
            Of("UDP_inuse", "UDP sockets over IPv4."),
            Of("UDP_mem", "Pages of memory held by UDP sockets."),
            Gauge(Prefix + "UDP_mem_bytes", Unit.Bytes, 1, "Memory held by UDP sockets."),
            Of("UDPLITE_inuse", "UDP-Lite sockets over IPv4."),
            Of("RAW_inuse", "Raw sockets over IPv4."),
            Of("FRAG_inuse", "IPv4 packets being put together from fragments."),
            Of("FRAG_memory", "Bytes held by IPv4 fragments."),
            Of("TCP6_inuse", "TCP sockets over IPv6."),
            Of("UDP6_inuse", "UDP sockets over IPv6."),
            Of("UDPLITE6_inuse", "UDP-Lite sockets over IPv6."),
            Of("RAW6_inuse", "Raw sockets over IPv6."),
            Of("FRAG6_inuse", "IPv6 packets being put together from fragments."),
            Of("FRAG6_memory", "Bytes held by IPv6 fragments."),
            ConntrackEntries,
            ConntrackLimit,
        ]);

    private static MetricDefinition Of(string field, string help) => Gauge(Prefix + field, Unit.None, 1, help);
}
