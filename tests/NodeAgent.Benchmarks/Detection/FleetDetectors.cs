using NodeAgent.Detection;
using NodeAgent.Detection.Incidents;
using NodeAgent.Detection.Peers;
using NodeAgent.Detection.Rules;
using NodeAgent.Detection.Watch;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>Everything on: lanes and shapes for every series, rules for every device, peers for every job, incidents.</summary>
internal sealed class FleetDetectors
{
    private const int GpuSeries = 9;
    private const int HostSeries = 4;

    private readonly SimulatedFleet _fleet;
    private readonly SeriesWatch _watch;
    private readonly int[] _gpuRows;
    private readonly int[] _hostRows;
    private readonly int[] _otherRows;
    private readonly double[] _noise;
    private readonly int _others;
    private readonly RuleWatch[] _gpuRules;
    private readonly RuleWatch[] _hostRules;
    private readonly PeerGroup[] _peers;
    private readonly bool[] _slow;
    private readonly double[] _values = new double[SimulatedFleet.JobNodes * SimulatedFleet.Gpus];
    private readonly GpuReadings _gpuReadings = new();
    private readonly HostReadings _hostReadings = new();

    internal FleetDetectors(SimulatedFleet fleet, int seriesPerNode)
    {
        _fleet = fleet;
        int gpus = fleet.Nodes * SimulatedFleet.Gpus;
        _others = Math.Max(seriesPerNode - (SimulatedFleet.Gpus * GpuSeries) - HostSeries, 0);
        _watch = new SeriesWatch((gpus * GpuSeries) + (fleet.Nodes * (HostSeries + _others)), (gpus * 2) + fleet.Nodes);
        string[] names = ["gpu_activity_ratio", "gpu_utilization_ratio", "gpu_power_watts", "gpu_temperature_celsius", "gpu_clock_hertz", "gpu_memory_used_bytes", "gpu_pcie_bytes_total", "gpu_nvlink_bytes_total", "gpu_fan_speed_ratio"];
        _gpuRows = [.. Enumerable.Range(0, gpus).SelectMany(gpu => names.Select(name => _watch.Add(Gpu(gpu, name), name is "gpu_temperature_celsius" or "gpu_power_watts" ? SeriesTraits.Moves : SeriesTraits.None)))];
        string[] hostNames = ["node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_network_receive_bytes_total", "node_pressure_cpu_waiting_seconds_total"];
        _hostRows = [.. Enumerable.Range(0, fleet.Nodes).SelectMany(node => hostNames.Select(name => _watch.Add(new Subject("n" + node, "", name), name.StartsWith("node_memory", StringComparison.Ordinal) ? SeriesTraits.Returns : SeriesTraits.None)))];
        _otherRows = [.. Enumerable.Range(0, fleet.Nodes * _others).Select(at => _watch.Add(new Subject("n" + (at / _others), "", "host_metric_" + (at % _others))))];
        _noise = [.. Enumerable.Range(0, 65_537).Select(_ => fleet.Normal())];
        Rule[] gpuRules = [.. RuleCatalogue.Embedded.Rules.Where(rule => rule.Metric.StartsWith("gpu_", StringComparison.Ordinal))];
        Rule[] hostRules = [.. RuleCatalogue.Embedded.Rules.Where(rule => !rule.Metric.StartsWith("gpu_", StringComparison.Ordinal))];
        _gpuRules = [.. Enumerable.Range(0, gpus).Select(gpu => new RuleWatch(gpuRules, NodeOf(gpu), "gpu" + (gpu % SimulatedFleet.Gpus)))];
        _hostRules = [.. Enumerable.Range(0, fleet.Nodes).Select(node => new RuleWatch(hostRules, "n" + node, ""))];
        _peers = [.. Enumerable.Range(0, fleet.Nodes / SimulatedFleet.JobNodes).Select(_ => new PeerGroup(_values.Length))];
        _slow = new bool[gpus];
        Book = new IncidentBook(fleet);
    }

    internal IncidentBook Book { get; }

    internal List<IncidentChange> Changes { get; } = [];

    internal long Samples { get; private set; }

    internal int Series => _gpuRows.Length + _hostRows.Length + _otherRows.Length;

    internal long Findings { get; private set; }

    internal void Tick(int second)
    {
        long now = SimulatedFleet.Start + (second * 1000L);
        var findings = new List<Finding>();
        for (int node = 0; node < _fleet.Nodes; node++)
        {
            Host(node, now, findings);
        }

        for (int gpu = 0; gpu < _fleet.Readings.Length; gpu++)
        {
            One(gpu, now, findings);
        }

        Peers(now, findings);
        Findings += findings.Count;
        foreach (Finding finding in findings)
        {
            Book.Offer(finding, Changes);
        }

        Book.Advance(now, Changes);
    }

    private void Host(int node, long now, List<Finding> findings)
    {
        HostState host = _fleet.Hosts[node];
        int row = node * HostSeries;
        _watch.Sample(_hostRows[row], host.Cpu, now, findings);
        _watch.Sample(_hostRows[row + 1], host.Memory, now, findings);
        _watch.Sample(_hostRows[row + 2], host.Network, now, findings);
        _watch.Sample(_hostRows[row + 3], host.Neighbour, now, findings);
        Samples += HostSeries;
        Others(node, host, now, findings);
        _hostReadings.Host = host;
        _hostRules[node].Look(_hostReadings, now, findings);
    }

    // What else a host has: a third goes with its job's traffic, a third swings by itself, a third only makes noise.
    private void Others(int node, HostState host, long now, List<Finding> findings)
    {
        int second = (int)((now - SimulatedFleet.Start) / 1000);
        int first = node * _others;
        for (int at = 0; at < _others; at++)
        {
            _watch.Expect(_otherRows[Math.Min(first + at + 1, _otherRows.Length - 1)], now);
            double noise = _noise[(int)((((long)first + at) * 7919 + (second * 104_729L)) % _noise.Length)];
            double value = (at % 3) switch
            {
                0 => (host.Network / 1e9 * (1 + (at % 7))) + noise,
                1 => 50 + (10 * Math.Sin((second + (at * 13)) / (60.0 + at))) + noise,
                _ => 100 + (5 * noise),
            };
            _watch.Sample(_otherRows[first + at], value, now, findings);
        }

        Samples += _others;
    }

    private void One(int gpu, long now, List<Finding> findings)
    {
        GpuState state = _fleet.Readings[gpu];
        if (_fleet.Hosts[gpu / SimulatedFleet.Gpus].ReaderUp == 0)
        {
            return; // a hung reader delivers nothing
        }

        int row = gpu * GpuSeries;
        ReadOnlySpan<double> values = [state.Activity, state.Utilization, state.Power, state.Temperature, state.Clock, state.Memory, state.Pcie, state.NvLink, state.Fan];
        for (int at = 0; at < values.Length; at++)
        {
            _watch.Sample(_gpuRows[row + at], values[at], now, findings);
        }

        Samples += GpuSeries;
        _gpuReadings.Gpu = state;
        _gpuRules[gpu].Look(_gpuReadings, now, findings);
    }

    private void Peers(long now, List<Finding> findings)
    {
        for (int job = 0; job < _peers.Length; job++)
        {
            int first = job * _values.Length;
            for (int at = 0; at < _values.Length; at++)
            {
                _values[at] = _fleet.Hosts[(first + at) / SimulatedFleet.Gpus].ReaderUp == 0 ? double.NaN : _fleet.Readings[first + at].Activity;
            }

            bool off = _peers[job].Update(_values, out PeerVerdict worst);
            for (int at = 0; at < _values.Length; at++)
            {
                bool slow = off && worst.Member == at;
                if (slow && !_slow[first + at])
                {
                    _slow[first + at] = true;
                    findings.Add(new Finding(now, now - (worst.SinceSamples * 1000L), FindingKind.Straggler, "straggler", Gpu(first + at, "gpu_activity_ratio"), 0, worst.Off, 0.95, $"{-worst.Off:P0} slower than those that do the same work"));
                }
                else if (_slow[first + at] && !off)
                {
                    _slow[first + at] = false;
                    findings.Add(new Finding(now, now, FindingKind.Straggler, "straggler", Gpu(first + at, "gpu_activity_ratio"), 0, 0, 0.95, "keeps up again", Clears: true));
                }
            }
        }
    }

    private static Subject Gpu(int gpu, string metric) => new(NodeOf(gpu), "gpu" + (gpu % SimulatedFleet.Gpus), metric);

    private static string NodeOf(int gpu) => "n" + (gpu / SimulatedFleet.Gpus);

    private sealed class GpuReadings : IReadings
    {
        internal GpuState Gpu { get; set; } = new();

        public double Of(string metric) => metric switch
        {
            "gpu_state" => 0,
            "gpu_throttle_active{reason=hw_thermal}" => Gpu.Throttle,
            "gpu_temperature_margin_celsius" => Gpu.Margin,
            "gpu_pcie_link_width" => Gpu.Width,
            "gpu_pcie_link_width_max" => 16,
            "gpu_utilization_ratio" => Gpu.Utilization,
            "gpu_fan_speed_ratio" => Gpu.Fan,
            "gpu_ecc_errors_total{kind=corrected,since=load,location=all}" => Gpu.EccCorrected,
            _ => double.NaN,
        };
    }

    private sealed class HostReadings : IReadings
    {
        internal HostState Host { get; set; } = new();

        public double Of(string metric) => metric switch
        {
            "nodeagent_gpu_reader_up" => Host.ReaderUp,
            "nodeagent_gpu_reading_age_seconds{tier=fast}" => Host.ReadingAge,
            "node_timex_offset_seconds" => Host.ClockOffset,
            "node_pressure_cpu_waiting_seconds_total" => Host.PressureTotal,
            _ => double.NaN,
        };
    }
}
