using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>
/// InfiniBand and RoCE ports, from /sys/class/infiniband (Documentation/ABI/stable/sysfs-class-infiniband), with node_exporter's
/// names. Those of hw_counters are the ones of its later releases; the meaning of mlx5 counters is NVIDIA's ("Understanding mlx5
/// Linux counters and status parameters").
/// </summary>
public static class RdmaMetrics
{
    private const string Prefix = "node_infiniband_";

    public static readonly MetricDefinition Info = Gauge(
        Prefix + "info", Unit.None, 1, "Always 1; the labels hold what is text.", "device", "board_id", "firmware_version", "hca_type");

    public static readonly MetricDefinition PortInfo = Gauge(
        Prefix + "port_info", Unit.None, 1, "Always 1; the labels say whether the port is InfiniBand or Ethernet (RoCE) and which interface is the same port.", "device", "port", "link_layer", "netdev");

    public static readonly MetricDefinition StateId = Gauge(
        Prefix + "state_id", Unit.None, 1, "0: no change, 1: down, 2: init, 3: armed, 4: active, 5: active, defer.", "device", "port");

    public static readonly MetricDefinition PhysicalStateId = Gauge(
        Prefix + "physical_state_id", Unit.None, 1, "0: no change, 1: sleep, 2: polling, 3: disabled, 4: training, 5: link up, 6: error recovery, 7: test.", "device", "port");

    public static readonly MetricDefinition RateBytesPerSecond = Gauge(
        Prefix + "rate_bytes_per_second", Unit.BytesPerSecond, 1, "Rate of the link at its present width and speed.", "device", "port");

    public static readonly MetricDefinition LifespanSeconds = Gauge(
        Prefix + "lifespan_seconds", Unit.Seconds, 1000, "How long the driver answers hardware counters from its cache.", "device", "port");

    /// <summary>File in <c>counters</c> and the metric it fills. The two data counters count words of four bytes.</summary>
    public static readonly (string File, MetricDefinition Metric)[] PortCounters =
    [
        ("port_rcv_data", Counter(Prefix + "port_data_received_bytes_total", Unit.Bytes, 1, "Bytes received on all virtual lanes.", "device", "port")),
        ("port_xmit_data", Counter(Prefix + "port_data_transmitted_bytes_total", Unit.Bytes, 1, "Bytes sent on all virtual lanes.", "device", "port")),
        ("port_rcv_packets", Of("port_packets_received_total", "Packets received, those with errors included.")),
        ("port_xmit_packets", Of("port_packets_transmitted_total", "Packets sent, those with errors included.")),
        ("unicast_rcv_packets", Of("unicast_packets_received_total", "Unicast packets received, those with errors included.")),
        ("unicast_xmit_packets", Of("unicast_packets_transmitted_total", "Unicast packets sent, those with errors included.")),
        ("multicast_rcv_packets", Of("multicast_packets_received_total", "Multicast packets received, those with errors included.")),
        ("multicast_xmit_packets", Of("multicast_packets_transmitted_total", "Multicast packets sent, those with errors included.")),
        ("port_rcv_errors", Of("port_errors_received_total", "Packets received with an error.")),
        ("port_rcv_remote_physical_errors", Of("port_receive_remote_physical_errors_total", "Packets that a neighbour had already marked bad (EBP).")),
        ("port_rcv_switch_relay_errors", Of("port_receive_switch_relay_errors_total", "Packets the switch could not forward.")),
        ("port_rcv_constraint_errors", Of("port_constraint_errors_received_total", "Packets received and discarded by a partition or filter rule.")),
        ("port_xmit_constraint_errors", Of("port_constraint_errors_transmitted_total", "Packets not sent because of a partition or filter rule.")),
        ("port_rcv_discards", Of("port_discards_received_total", "Packets discarded on the way in because the port is down or congested.")),
        ("port_xmit_discards", Of("port_discards_transmitted_total", "Packets discarded on the way out because the port is down or congested.")),
        ("port_xmit_wait", Of("port_transmit_wait_total", "Ticks during which data waited and none was sent: congestion further on.")),
        ("symbol_error", Of("symbol_error_total", "Minor link errors on one or more lanes: a bad cable or transceiver.")),
        ("link_error_recovery", Of("link_error_recovery_total", "Times the link recovered from an error state.")),
        ("link_downed", Of("link_downed_total", "Times the link did not recover and went down.")),
        ("local_link_integrity_errors", Of("local_link_integrity_errors_total", "Times local physical errors exceeded the port's threshold.")),
        ("excessive_buffer_overrun_errors", Of("excessive_buffer_overrun_errors_total", "Times buffer overruns went on over the port's threshold.")),
        ("VL15_dropped", Of("vl15_dropped_total", "Management packets dropped for lack of resources.")),
    ];

    /// <summary>File in <c>hw_counters</c> and the metric it fills.</summary>
    public static readonly (string File, MetricDefinition Metric)[] HardwareCounters =
    [
        ("duplicate_request", Of("duplicate_requests_packets_total", "Requests received that had been executed before.")),
        ("implied_nak_seq_err", Of("implied_nak_seq_errors_total", "Answers with a larger sequence number than expected for a read.")),
        ("local_ack_timeout_err", Of("local_ack_timeout_errors_total", "Times the sender's acknowledgement timer expired: loss on the way.")),
        ("np_cnp_sent", Of("np_cnp_packets_sent_total", "RoCE congestion notifications sent.")),
        ("np_ecn_marked_roce_packets", Of("np_ecn_marked_roce_packets_received_total", "RoCE packets received with a congestion mark (ECN).")),
        ("out_of_buffer", Of("out_of_buffer_drops_total", "Packets dropped because no receive request was posted.")),
        ("out_of_sequence", Of("out_of_sequence_packets_received_total", "Packets received out of order.")),
        ("packet_seq_err", Of("packet_sequence_errors_total", "NAKs received for a wrong sequence.")),
        ("req_cqe_error", Of("req_cqes_errors_total", "Completions with an error at the requester.")),
        ("req_cqe_flush_error", Of("req_cqes_flush_errors_total", "Completions flushed at the requester.")),
        ("req_remote_access_errors", Of("req_remote_access_errors_total", "Remote access errors at the requester.")),
        ("req_remote_invalid_request", Of("req_remote_invalid_request_errors_total", "Requests the remote side refused as invalid.")),
        ("resp_cqe_error", Of("resp_cqes_errors_total", "Completions with an error at the responder.")),
        ("resp_cqe_flush_error", Of("resp_cqes_flush_errors_total", "Completions flushed at the responder.")),
        ("resp_local_length_error", Of("resp_local_length_errors_total", "Requests longer than the responder's buffer.")),
        ("resp_remote_access_errors", Of("resp_remote_access_errors_total", "Remote access errors at the responder.")),
        ("rnr_nak_retry_err", Of("rnr_nak_retry_packets_received_total", "Receiver-not-ready NAKs received.")),
        ("roce_adp_retrans", Of("roce_adp_retransmits_total", "Adaptive retransmissions of RoCE.")),
        ("roce_adp_retrans_to", Of("roce_adp_retransmits_timeout_total", "Timeouts of adaptive retransmission of RoCE.")),
        ("roce_slow_restart", Of("roce_slow_restart_used_total", "Times RoCE slow restart was used.")),
        ("roce_slow_restart_cnps", Of("roce_slow_restart_cnps_total", "Congestion notifications made by RoCE slow restart.")),
        ("roce_slow_restart_trans", Of("roce_slow_restart_total", "Times RoCE changed its state to slow restart.")),
        ("rp_cnp_handled", Of("rp_cnp_packets_handled_total", "Congestion notifications that throttled this port.")),
        ("rp_cnp_ignored", Of("rp_cnp_ignored_packets_received_total", "Congestion notifications received and ignored: congestion control is off.")),
        ("rx_atomic_requests", Of("rx_atomic_requests_total", "Atomic requests received.")),
        ("rx_dct_connect", Of("rx_dct_connect_requests_total", "Connection requests received for dynamically connected transport.")),
        ("rx_icrc_encapsulated", Of("rx_icrc_encapsulated_errors_total", "RoCE packets received with a bad checksum (ICRC).")),
        ("rx_read_requests", Of("rx_read_requests_total", "Read requests received.")),
        ("rx_write_requests", Of("rx_write_requests_total", "Write requests received.")),
    ];

    public static readonly MetricFamily Family = new(
        "rdma",
        "InfiniBand and RoCE ports.",
        [
            Info, PortInfo, StateId, PhysicalStateId, RateBytesPerSecond, LifespanSeconds,
            .. PortCounters.Select(counter => counter.Metric), .. HardwareCounters.Select(counter => counter.Metric),
        ]);

    private static MetricDefinition Of(string name, string help) => Counter(Prefix + name, Unit.None, 1, help, "device", "port");
}
