using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Network;

/// <summary>Link state and properties of network interfaces. They change rarely: a slow beat is enough, link events come from Events/.</summary>
internal sealed class NetworkLinkSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "class/net"))
{
    private const int MaxInterfaces = 256; // each keeps about 12 files open; a Kubernetes node has one interface per pod
    private const double BytesPerMegabit = 1_000_000 / 8.0;

    private static readonly (string File, AttributeReading Reading, MetricDefinition Metric)[] Changing =
    [
        ("operstate", new(AttributeForm.IsUp), NetworkLinkMetrics.Up),
        ("carrier", AttributeReading.Plain, NetworkLinkMetrics.Carrier),
        ("carrier_changes", AttributeReading.Plain, NetworkLinkMetrics.CarrierChangesTotal),
        ("carrier_up_count", AttributeReading.Plain, NetworkLinkMetrics.CarrierUpChangesTotal),
        ("carrier_down_count", AttributeReading.Plain, NetworkLinkMetrics.CarrierDownChangesTotal),
        ("mtu", AttributeReading.Plain, NetworkLinkMetrics.MtuBytes),
        ("flags", new(AttributeForm.Hexadecimal), NetworkLinkMetrics.Flags),
        ("dormant", AttributeReading.Plain, NetworkLinkMetrics.Dormant),
        ("tx_queue_len", AttributeReading.Plain, NetworkLinkMetrics.TransmitQueueLength),
        ("statistics/rx_nohandler", AttributeReading.Plain, NetworkLinkMetrics.ReceiveNoHandlerTotal),
    ];

    private static readonly (string File, AttributeReading Reading, MetricDefinition Metric)[] Constant =
    [
        ("ifindex", AttributeReading.Plain, NetworkLinkMetrics.InterfaceId),
        ("iflink", AttributeReading.Plain, NetworkLinkMetrics.InterfaceLink),
        ("link_mode", AttributeReading.Plain, NetworkLinkMetrics.InterfaceLinkMode),
        ("type", AttributeReading.Plain, NetworkLinkMetrics.ProtocolType),
        ("addr_assign_type", AttributeReading.Plain, NetworkLinkMetrics.AddressAssignType),
        ("name_assign_type", AttributeReading.Plain, NetworkLinkMetrics.NameAssignType),
        ("dev_id", new(AttributeForm.Hexadecimal), NetworkLinkMetrics.DeviceId),
        ("netdev_group", AttributeReading.Plain, NetworkLinkMetrics.DeviceGroup),
    ];

    public override string Name => "network_link";

    protected override void Build(AttributeColumns columns)
    {
        int count = 0;
        foreach (string name in Sysfs.Names(ClassDirectory))
        {
            string directory = Path.Combine(ClassDirectory, name);
            if (!Directory.Exists(directory))
            {
                continue; // bonding_masters is a file
            }

            if (++count > MaxInterfaces)
            {
                columns.IsTruncated = true;
                break;
            }

            AddInterface(columns, directory, name);
        }
    }

    private static void AddInterface(AttributeColumns columns, string directory, string name)
    {
        Label device = new("device", name);
        foreach ((string file, AttributeReading reading, MetricDefinition metric) in Changing)
        {
            columns.Add(Path.Combine(directory, file), reading, metric, device);
        }

        // Virtual interfaces answer EINVAL for ever, or make a number up. -1 means unknown.
        if (Path.Exists(Path.Combine(directory, "device")) || Path.Exists(Path.Combine(directory, "bonding")))
        {
            columns.Add(Path.Combine(directory, "speed"), new(Multiplier: BytesPerMegabit, Minimum: 0), NetworkLinkMetrics.SpeedBytes, device);
        }

        foreach ((string file, AttributeReading reading, MetricDefinition metric) in Constant)
        {
            columns.AddConstant(Path.Combine(directory, file), reading, metric, device);
        }

        columns.AddConstant(
            1,
            NetworkLinkMetrics.Info,
            device,
            new Label("address", columns.WatchText(Path.Combine(directory, "address"))),
            new Label("broadcast", columns.WatchText(Path.Combine(directory, "broadcast"))),
            new Label("duplex", columns.WatchText(Path.Combine(directory, "duplex"))),
            new Label("operstate", columns.WatchText(Path.Combine(directory, "operstate"))),
            new Label("ifalias", columns.WatchText(Path.Combine(directory, "ifalias"))));
    }
}
