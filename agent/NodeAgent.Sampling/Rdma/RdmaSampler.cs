using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Rdma;

/// <summary>
/// Counters and state of InfiniBand and RoCE ports. Each counter of mlx5 is a query of the adapter's firmware that can take tens
/// of microseconds, and one that resets can take seconds: this sampler belongs on a beat of its own.
/// </summary>
internal sealed class RdmaSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "class/infiniband"))
{
    private const double BytesPerWord = 4; // IBTA volume 1, PortRcvData and PortXmitData: octets divided by 4
    private const double BytesPerGigabit = 1_000_000_000 / 8.0;

    public override string Name => "rdma";

    protected override void Build(AttributeColumns columns)
    {
        foreach (string device in Sysfs.Names(ClassDirectory))
        {
            string directory = Path.Combine(ClassDirectory, device);
            Label label = new("device", device);
            columns.AddConstant(
                1,
                RdmaMetrics.Info,
                label,
                new Label("board_id", columns.WatchText(Path.Combine(directory, "board_id"))),
                new Label("firmware_version", columns.WatchText(Path.Combine(directory, "fw_ver"))),
                new Label("hca_type", columns.WatchText(Path.Combine(directory, "hca_type"))));
            foreach (string port in Sysfs.Names(Path.Combine(directory, "ports")))
            {
                AddPort(columns, directory, label, port);
            }
        }
    }

    private static void AddPort(AttributeColumns columns, string device, Label deviceLabel, string port)
    {
        string directory = Path.Combine(device, "ports", port);
        Label label = new("port", port);
        columns.AddConstant(
            1,
            RdmaMetrics.PortInfo,
            deviceLabel,
            label,
            new Label("link_layer", columns.WatchText(Path.Combine(directory, "link_layer"))),
            new Label("netdev", RdmaTopology.NetworkInterface(device, port)));
        columns.Add(Path.Combine(directory, "state"), AttributeReading.Plain, RdmaMetrics.StateId, deviceLabel, label);
        columns.Add(Path.Combine(directory, "phys_state"), AttributeReading.Plain, RdmaMetrics.PhysicalStateId, deviceLabel, label);
        columns.Add(
            Path.Combine(directory, "rate"), new(AttributeForm.Fraction, BytesPerGigabit), RdmaMetrics.RateBytesPerSecond, deviceLabel, label);
        columns.AddConstant(Path.Combine(directory, "hw_counters/lifespan"), new(Divisor: 1000), RdmaMetrics.LifespanSeconds, deviceLabel, label);
        foreach ((string file, MetricDefinition metric) in RdmaMetrics.PortCounters)
        {
            double multiplier = metric.Unit == Unit.Bytes ? BytesPerWord : 1;
            columns.Add(Path.Combine(directory, "counters", file), new(Multiplier: multiplier), metric, deviceLabel, label);
        }

        foreach ((string file, MetricDefinition metric) in RdmaMetrics.HardwareCounters)
        {
            columns.Add(Path.Combine(directory, "hw_counters", file), AttributeReading.Plain, metric, deviceLabel, label);
        }
    }
}
