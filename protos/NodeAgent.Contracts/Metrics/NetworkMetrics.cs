using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Traffic of network interfaces, from /proc/net/dev.</summary>
public static class NetworkMetrics
{
    /// <summary>In the order of the columns of /proc/net/dev.</summary>
    public static readonly MetricDefinition[] InKernelOrder =
    [
        Counter("node_network_receive_bytes_total", Unit.Bytes, 1, "Bytes received.", "device"),
        Counter("node_network_receive_packets_total", Unit.None, 1, "Packets received.", "device"),
        Counter("node_network_receive_errs_total", Unit.None, 1, "Packets received with an error.", "device"),
        Counter("node_network_receive_drop_total", Unit.None, 1, "Packets dropped on the way in, by the host or for lack of room in the adapter.", "device"),
        Counter("node_network_receive_fifo_total", Unit.None, 1, "Overruns of the receive queue.", "device"),
        Counter("node_network_receive_frame_total", Unit.None, 1, "Packets with a bad length, checksum or alignment.", "device"),
        Counter("node_network_receive_compressed_total", Unit.None, 1, "Compressed packets received.", "device"),
        Counter("node_network_receive_multicast_total", Unit.None, 1, "Multicast packets received.", "device"),
        Counter("node_network_transmit_bytes_total", Unit.Bytes, 1, "Bytes sent.", "device"),
        Counter("node_network_transmit_packets_total", Unit.None, 1, "Packets sent.", "device"),
        Counter("node_network_transmit_errs_total", Unit.None, 1, "Packets not sent because of an error.", "device"),
        Counter("node_network_transmit_drop_total", Unit.None, 1, "Packets dropped on the way out.", "device"),
        Counter("node_network_transmit_fifo_total", Unit.None, 1, "Underruns of the transmit queue.", "device"),
        Counter("node_network_transmit_colls_total", Unit.None, 1, "Collisions.", "device"),
        Counter("node_network_transmit_carrier_total", Unit.None, 1, "Packets lost to carrier, abort, heartbeat or window errors.", "device"),
        Counter("node_network_transmit_compressed_total", Unit.None, 1, "Compressed packets sent.", "device"),
    ];

    public static readonly MetricFamily Family = new("network", "Traffic and errors of network interfaces; the loopback is left out.", InKernelOrder);
}
