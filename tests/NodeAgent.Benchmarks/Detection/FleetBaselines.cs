namespace NodeAgent.Benchmarks.Detection;

/// <summary>What most people have: a threshold a metric, held ten seconds, grouped by node and metric.</summary>
internal sealed class ThresholdAlerts(SimulatedFleet fleet)
{
    private readonly Dictionary<(int Node, string Metric), (int Since, int Last)> _held = [];
    private readonly HashSet<(int Node, string Metric)> _said = [];

    internal List<(int Node, string Metric, int Second)> Incidents { get; } = [];

    internal void Tick(int second)
    {
        for (int node = 0; node < fleet.Nodes; node++)
        {
            HostState host = fleet.Hosts[node];
            Look(node, "memory", host.Memory > 0.9 * 512e9, second);
            Look(node, "cpu", host.Cpu > 0.9, second);
            Look(node, "clock", Math.Abs(host.ClockOffset) > 0.5, second);
            bool hot = false, slow = false, ecc = false;
            for (int gpu = 0; gpu < SimulatedFleet.Gpus; gpu++)
            {
                GpuState state = fleet.Readings[(node * SimulatedFleet.Gpus) + gpu];
                hot |= state.Temperature > 80;
                slow |= state.Utilization < 0.3;
                ecc |= state.EccCorrected > 50;
            }

            Look(node, "temperature", hot, second);
            Look(node, "utilization", slow, second);
            Look(node, "ecc", ecc, second);
        }
    }

    private void Look(int node, string metric, bool holds, int second)
    {
        (int, string) key = (node, metric);
        if (!holds)
        {
            _held.Remove(key);
            _said.Remove(key);
            return;
        }

        _held.TryAdd(key, (second, second));
        if (second - _held[key].Since >= 10 && _said.Add(key))
        {
            Incidents.Add((node, metric, second));
        }
    }
}

/// <summary>Netdata's shape: two clusters a metric, a bit where a value is far from both, a node alarms when a fifth of its bits are set for five seconds.</summary>
internal sealed class KMeansAlerts
{
    private const int Metrics = (4 * SimulatedFleet.Gpus) + 3;

    private readonly SimulatedFleet _fleet;
    private readonly int[] _nodes;
    private readonly KMeansMetric[][] _metrics;
    private readonly int[] _held;

    internal KMeansAlerts(SimulatedFleet fleet, int[] nodes)
    {
        (_fleet, _nodes, _held) = (fleet, nodes, new int[nodes.Length]);
        _metrics = [.. nodes.Select(_ => Enumerable.Range(0, Metrics).Select(_ => new KMeansMetric(600)).ToArray())];
    }

    internal List<(int Node, string Metric, int Second)> Incidents { get; } = [];

    internal void Tick(int second)
    {
        for (int at = 0; at < _nodes.Length; at++)
        {
            int node = _nodes[at];
            int bits = 0, metric = 0;
            for (int gpu = 0; gpu < SimulatedFleet.Gpus; gpu++)
            {
                GpuState state = _fleet.Readings[(node * SimulatedFleet.Gpus) + gpu];
                foreach (double value in (ReadOnlySpan<double>)[state.Activity, state.Power, state.Temperature, state.Pcie / 1e9])
                {
                    bits += _metrics[at][metric++].IsAnomalous((float)value) ? 1 : 0;
                }
            }

            HostState host = _fleet.Hosts[node];
            foreach (double value in (ReadOnlySpan<double>)[host.Cpu, host.Memory / 1e9, host.ClockOffset])
            {
                bits += _metrics[at][metric++].IsAnomalous((float)value) ? 1 : 0;
            }

            _held[at] = bits >= Metrics / 5 ? _held[at] + 1 : 0;
            if (_held[at] == 5)
            {
                Incidents.Add((node, "bits", second));
            }
        }
    }
}
