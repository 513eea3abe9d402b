using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Link state and properties of network interfaces, from /sys/class/net (Documentation/ABI/testing/sysfs-class-net).</summary>
public static class NetworkLinkMetrics
{
    public static readonly MetricDefinition Up = Gauge(
        "node_network_up", Unit.None, 1, "1 where operstate is \"up\".", "device");

    public static readonly MetricDefinition Carrier = Gauge(
        "node_network_carrier", Unit.None, 1, "1 where the interface has a physical link. No value while it is administratively down.", "device");

    public static readonly MetricDefinition CarrierChangesTotal = Counter(
        "node_network_carrier_changes_total", Unit.None, 1, "Changes of the physical link, both ways.", "device");

    public static readonly MetricDefinition CarrierUpChangesTotal = Counter(
        "node_network_carrier_up_changes_total", Unit.None, 1, "Times the physical link came up.", "device");

    public static readonly MetricDefinition CarrierDownChangesTotal = Counter(
        "node_network_carrier_down_changes_total", Unit.None, 1, "Times the physical link went down.", "device");

    public static readonly MetricDefinition SpeedBytes = Gauge(
        "node_network_speed_bytes", Unit.BytesPerSecond, 1, "Speed of the link in bytes a second. No value without a link or where the driver does not know.", "device");

    public static readonly MetricDefinition MtuBytes = Gauge(
        "node_network_mtu_bytes", Unit.Bytes, 1, "Largest packet.", "device");

    public static readonly MetricDefinition Flags = Gauge(
        "node_network_flags", Unit.None, 1, "Interface flags (IFF_* of if.h) as a number.", "device");

    public static readonly MetricDefinition Dormant = Gauge(
        "node_network_dormant", Unit.None, 1, "1 while the interface waits for an event such as 802.1X.", "device");

    public static readonly MetricDefinition TransmitQueueLength = Gauge(
        "node_network_transmit_queue_length", Unit.None, 1, "Packets the transmit queue may hold.", "device");

    public static readonly MetricDefinition ReceiveNoHandlerTotal = Counter(
        "node_network_receive_nohandler_total", Unit.None, 1, "Packets dropped because the interface is inactive, such as a bond's standby.", "device");

    public static readonly MetricDefinition InterfaceId = Gauge(
        "node_network_iface_id", Unit.None, 1, "Interface index.", "device");

    public static readonly MetricDefinition InterfaceLink = Gauge(
        "node_network_iface_link", Unit.None, 1, "Index of the interface below (of a VLAN, for example); its own where there is none.", "device");

    public static readonly MetricDefinition InterfaceLinkMode = Gauge(
        "node_network_iface_link_mode", Unit.None, 1, "0: default, 1: dormant.", "device");

    public static readonly MetricDefinition ProtocolType = Gauge(
        "node_network_protocol_type", Unit.None, 1, "Kind of hardware (ARPHRD_* of if_arp.h).", "device");

    public static readonly MetricDefinition AddressAssignType = Gauge(
        "node_network_address_assign_type", Unit.None, 1, "0: permanent, 1: random, 2: from another device, 3: set.", "device");

    public static readonly MetricDefinition NameAssignType = Gauge(
        "node_network_name_assign_type", Unit.None, 1, "1: by the kernel, 2: predictable, 3: by user space, 4: renamed.", "device");

    public static readonly MetricDefinition DeviceId = Gauge(
        "node_network_device_id", Unit.None, 1, "Tells interfaces on the same hardware address apart.", "device");

    public static readonly MetricDefinition DeviceGroup = Gauge(
        "node_network_net_dev_group", Unit.None, 1, "Interface group.", "device");

    public static readonly MetricDefinition Info = Gauge(
        "node_network_info", Unit.None, 1, "Always 1; the labels hold what is text.", "device", "address", "broadcast", "duplex", "operstate", "ifalias");

    public static readonly MetricFamily Family = new(
        "network_link",
        "Link state and properties of network interfaces.",
        [
            Up, Carrier, CarrierChangesTotal, CarrierUpChangesTotal, CarrierDownChangesTotal, SpeedBytes, MtuBytes, Flags, Dormant,
            TransmitQueueLength, ReceiveNoHandlerTotal, InterfaceId, InterfaceLink, InterfaceLinkMode, ProtocolType,
            AddressAssignType, NameAssignType, DeviceId, DeviceGroup, Info,
        ]);
}
