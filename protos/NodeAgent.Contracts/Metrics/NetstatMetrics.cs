using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>
/// Protocol counters of the network stack: node_exporter's default choice from /proc/net/snmp, snmp6 and netstat, and what it leaves out
/// that a broken network shows in first: failed and reset connections, discards, bad checksums, missing routes, fragments that do not
/// fit. Names are its own (node_netstat_, the kernel's group, the kernel's field).
/// </summary>
public static class NetstatMetrics
{
    public const string Prefix = "node_netstat_";

    public static readonly MetricFamily Family = new(
        "netstat",
        "Protocol counters of the network stack.",
        [
            Of("Icmp_InDestUnreachs", "ICMP messages received that say a destination cannot be reached, or that a packet was too large."),
            Of("Icmp_InErrors", "ICMP messages received with an error."),
            Of("Icmp_InMsgs", "ICMP messages received."),
            Of("Icmp_OutMsgs", "ICMP messages sent."),
            Of("Icmp6_InErrors", "ICMPv6 messages received with an error."),
            Of("Icmp6_InMsgs", "ICMPv6 messages received."),
            Of("Icmp6_OutMsgs", "ICMPv6 messages sent."),
            Gauge(Prefix + "Ip_Forwarding", Unit.None, 1, "1 where the host forwards packets, 2 where it does not (RFC 1213)."),
            Of("Ip_FragFails", "IPv4 packets discarded because they would have had to be fragmented and must not be."),
            Of("Ip_InDiscards", "IPv4 packets received and discarded though there was nothing wrong with them, as for want of memory."),
            Of("Ip_OutDiscards", "IPv4 packets to be sent and discarded though there was nothing wrong with them."),
            Of("Ip_OutNoRoutes", "IPv4 packets discarded for want of a route."),
            Of("Ip_ReasmFails", "IPv4 packets that could not be put together from their fragments."),
            Of("Ip6_InOctets", "IPv6 bytes received."),
            Of("Ip6_OutOctets", "IPv6 bytes sent."),
            Of("IpExt_InOctets", "IPv4 bytes received."),
            Of("IpExt_OutOctets", "IPv4 bytes sent."),
            Of("Tcp_ActiveOpens", "TCP connections opened by this host."),
            Of("Tcp_AttemptFails", "TCP connections that failed before they were established."),
            Of("Tcp_PassiveOpens", "TCP connections accepted."),
            Gauge(Prefix + "Tcp_CurrEstab", Unit.None, 1, "TCP connections that are established or wait to be closed by this side."),
            Of("Tcp_EstabResets", "Established TCP connections that ended with a reset."),
            Of("Tcp_InCsumErrors", "TCP segments received with a wrong checksum."),
            Of("Tcp_InErrs", "TCP segments received with an error."),
            Of("Tcp_InSegs", "TCP segments received."),
            Of("Tcp_OutRsts", "TCP segments sent with RST."),
            Of("Tcp_OutSegs", "TCP segments sent, without retransmissions."),
            Of("Tcp_RetransSegs", "TCP segments sent again."),
            Of("TcpExt_ListenDrops", "Connections dropped by a listening socket, for any reason."),
            Of("TcpExt_ListenOverflows", "Connections dropped because the accept queue was full."),
            Of("TcpExt_SyncookiesFailed", "SYN cookies received that were wrong."),
            Of("TcpExt_SyncookiesRecv", "SYN cookies received."),
            Of("TcpExt_SyncookiesSent", "SYN cookies sent."),
            Of("TcpExt_TCPOFOQueue", "TCP segments received out of order and queued."),
            Of("TcpExt_TCPRcvQDrop", "TCP segments dropped because the receive queue was full."),
            Of("TcpExt_TCPSynRetrans", "SYN and SYN/ACK segments sent again."),
            Of("TcpExt_TCPTimeouts", "TCP retransmission timers that fired."),
            Of("Udp_InDatagrams", "UDP datagrams delivered."),
            Of("Udp_InCsumErrors", "UDP datagrams received with a wrong checksum."),
            Of("Udp_InErrors", "UDP datagrams not delivered for another reason than a missing port."),
            Of("Udp_MemErrors", "UDP datagrams dropped because the memory of all UDP sockets was used up."),
            Of("Udp_NoPorts", "UDP datagrams for a port nobody listens on."),
            Of("Udp_OutDatagrams", "UDP datagrams sent."),
            Of("Udp_RcvbufErrors", "UDP datagrams dropped because the receive buffer was full."),
            Of("Udp_SndbufErrors", "UDP datagrams dropped because the send buffer was full."),
            Of("Udp6_InDatagrams", "UDP datagrams delivered over IPv6."),
            Of("Udp6_InErrors", "UDP datagrams over IPv6 not delivered for another reason than a missing port."),
            Of("Udp6_NoPorts", "UDP datagrams over IPv6 for a port nobody listens on."),
            Of("Udp6_OutDatagrams", "UDP datagrams sent over IPv6."),
            Of("Udp6_RcvbufErrors", "UDP datagrams over IPv6 dropped because the receive buffer was full."),
            Of("Udp6_SndbufErrors", "UDP datagrams over IPv6 dropped because the send buffer was full."),
            Of("UdpLite_InErrors", "UDP-Lite datagrams received with an error."),
            Of("UdpLite6_InErrors", "UDP-Lite datagrams over IPv6 received with an error."),
        ]);

    private static MetricDefinition Of(string field, string help) => Counter(Prefix + field, Unit.None, 1, help);
}
