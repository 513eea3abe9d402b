using NodeAgent.Detection.Incidents;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>Kinds of fault that are injected.</summary>
internal enum FaultKind
{
    Straggler, Leak, Throttling, EccGrowth, LinkDowntrain, Hang, NoisyNeighbour, FanFailure, SensorFlatLine, ClockStep,
}

/// <summary>One injected fault: known place, kind and time.</summary>
internal sealed record Fault(FaultKind Kind, int Node, int Gpu, int From, int To);

/// <summary>
/// A fleet at 1 Hz: jobs of eight nodes with common phases and pauses, GPUs that differ a little for good, noise with memory, and faults that
/// act through their physics (a stopped fan heats, heat slows, a slow GPU keeps its job waiting). Detector and generator have one author:
/// read the results as an upper bound.
/// </summary>
internal sealed class SimulatedFleet : ITopology
{
    internal const int Gpus = 8;
    internal const int JobNodes = 8;
    internal const int DomainNodes = 16;
    internal const long Start = 1_780_000_000_000;

    private SplitMix _random;
    private readonly double[] _quality;
    private readonly double[] _noise;
    private readonly double[] _heat;
    private readonly double[] _job;

    internal SimulatedFleet(int nodes, ulong seed)
    {
        Nodes = nodes;
        _random = new SplitMix(seed);
        _quality = [.. Enumerable.Range(0, nodes * Gpus).Select(_ => 1 + (0.015 * Normal()))];
        _noise = new double[nodes * Gpus];
        _heat = [.. Enumerable.Repeat(65.0, nodes * Gpus)];
        _job = new double[nodes / JobNodes + 1];
        Readings = [.. Enumerable.Range(0, nodes * Gpus).Select(_ => new GpuState())];
        Hosts = [.. Enumerable.Range(0, nodes).Select(_ => new HostState())];
    }

    internal int Nodes { get; }

    internal GpuState[] Readings { get; }

    internal HostState[] Hosts { get; }

    /// <summary>Waiting for a hung member.</summary>
    internal bool[] JobStands { get; } = new bool[4096];

    public string JobOf(string node, string device) => "job-" + (Number(node) / JobNodes);

    public string DomainOf(string node) => "rack-" + (Number(node) / DomainNodes);

    public int NodesIn(string domain) => DomainNodes;

    /// <summary>Faults spread over time and nodes, one of each kind in turn, at most one a job at a time.</summary>
    internal List<Fault> Plan(int perKind, int seconds, int quiet)
    {
        var faults = new List<Fault>();
        var busy = new HashSet<int>();
        for (int round = 0; round < perKind; round++)
        {
            foreach (FaultKind kind in Enum.GetValues<FaultKind>())
            {
                int job = _random.Next(Math.Max(Nodes / JobNodes, 1));
                for (int tries = 0; !busy.Add(job) && tries < 200; tries++)
                {
                    job = _random.Next(Math.Max(Nodes / JobNodes, 1));
                }

                int from = quiet + _random.Next(Math.Max(seconds - quiet - 700, 1));
                int last = Math.Min(from + (kind is FaultKind.Leak ? 1500 : 500), seconds);
                faults.Add(new Fault(kind, (job * JobNodes) + _random.Next(JobNodes), _random.Next(Gpus), from, last));
            }
        }

        return faults;
    }

    internal void Tick(int second, List<Fault> faults)
    {
        Array.Clear(JobStands);
        var active = faults.Where(fault => second >= fault.From && second < fault.To).ToLookup(fault => fault.Node);
        foreach (Fault hang in faults.Where(fault => fault.Kind == FaultKind.Hang && second >= fault.From && second < fault.To))
        {
            JobStands[hang.Node / JobNodes] = true;
        }

        for (int job = 0; job <= Nodes / JobNodes && job < _job.Length; job++)
        {
            // A checkpoint every ten minutes, evaluation phases, and a wave of the job as a whole.
            bool pause = (second + (job * 37)) % 600 < 12;
            double wave = 0.82 + (0.05 * Math.Sin((second + (job * 11)) / 90.0)) + (0.01 * Normal());
            _job[job] = JobStands[job] ? 0.02 : pause ? 0.15 : wave;
        }

        for (int node = 0; node < Nodes; node++)
        {
            Host(second, node, active[node]);
            for (int gpu = 0; gpu < Gpus; gpu++)
            {
                Gpu(second, node, gpu, active[node]);
            }
        }
    }

    internal double Normal()
    {
        double sum = 0;
        for (int at = 0; at < 4; at++)
        {
            sum += _random.NextDouble();
        }

        return (sum - 2) * 1.732; // variance of the sum is 1/3
    }

    private void Host(int second, int node, IEnumerable<Fault> faults)
    {
        HostState host = Hosts[node];
        host.Leak *= faults.Any(fault => fault.Kind == FaultKind.Leak) ? 1 : 0; // its process is restarted in the end
        double neighbour = 0;
        host.ReadingAge = 0.4 + (0.1 * _random.NextDouble());
        host.ReaderUp = 1;
        host.ClockOffset = 0.002 * Normal();
        foreach (Fault fault in faults)
        {
            neighbour = fault.Kind == FaultKind.NoisyNeighbour ? 0.5 : neighbour;
            host.Leak += fault.Kind == FaultKind.Leak ? 120e6 : 0;
            host.ClockOffset = fault.Kind == FaultKind.ClockStep ? 3 : host.ClockOffset;
            if (fault.Kind == FaultKind.Hang)
            {
                (host.ReaderUp, host.ReadingAge) = (0, second - fault.From + 0.5);
            }
        }

        host.Cpu = Math.Clamp(0.35 + (0.03 * Math.Sin(second / 200.0)) + (0.02 * Normal()) + (0.5 * neighbour), 0, 1);
        host.PressureTotal += Math.Max(0.02 + (0.01 * Normal()) + neighbour, 0);
        host.Memory = 400e9 + (2e9 * Math.Sin(second / 150.0)) + (0.3e9 * Normal()) + host.Leak;
        host.Network = Math.Max((_job[node / JobNodes] * 20e9) + (0.3e9 * Normal()), 0);
        host.Neighbour = neighbour;
    }

    private void Gpu(int second, int node, int gpu, IEnumerable<Fault> faults)
    {
        int at = (node * Gpus) + gpu;
        GpuState state = Readings[at];
        _noise[at] = (0.9 * _noise[at]) + (0.006 * Normal());
        double slow = 1 - (0.12 * Hosts[node].Neighbour), fan = 0.6 + (0.03 * Normal()), width = 16, frozen = double.NaN;
        bool throttled = false;
        foreach (Fault fault in faults.Where(fault => fault.Gpu == gpu))
        {
            switch (fault.Kind)
            {
                case FaultKind.Straggler:
                    slow *= 0.88;
                    break;
                case FaultKind.Throttling:
                    (slow, throttled) = (slow * 0.6, true);
                    break;
                case FaultKind.EccGrowth:
                    state.EccCorrected += second % 3 == 0 ? 1 : 0;
                    break;
                case FaultKind.LinkDowntrain:
                    (width, slow) = (8, slow * 0.92);
                    break;
                case FaultKind.FanFailure:
                    fan = 0;
                    break;
                case FaultKind.SensorFlatLine:
                    frozen = state.Temperature;
                    break;
            }
        }

        _heat[at] += fan > 0.1 ? (65 - _heat[at]) * 0.01 : 0.12;
        throttled |= _heat[at] > 88;
        _heat[at] = Math.Min(_heat[at], 90);
        slow *= throttled && _heat[at] > 88 ? 0.6 : 1;
        state.Activity = Math.Max((_job[node / JobNodes] * _quality[at] * slow) + _noise[at], 0);
        state.Utilization = Math.Min(_job[node / JobNodes] * 1.15, 1);
        state.Power = 120 + (520 * state.Activity) + (8 * Normal());
        state.Temperature = double.IsNaN(frozen) ? Math.Round(_heat[at] + (12 * (state.Activity - 0.8)) + (1.2 * Normal())) : frozen;
        state.Margin = Math.Round(91 - _heat[at] - (0.5 * Math.Abs(Normal())));
        state.Clock = (1755 * (throttled ? 0.6 : 1)) + (5 * Normal());
        state.Memory = 60e9 + (0.05e9 * Normal());
        state.Pcie = Math.Max((state.Activity * 12e9 * (width / 16)) + (0.2e9 * Normal()), 0);
        state.NvLink = Math.Max((state.Activity * 200e9) + (2e9 * Normal()), 0);
        (state.Throttle, state.Width, state.Fan) = (throttled ? 1 : 0, width, Math.Max(fan, 0));
    }

    private static int Number(string node) => int.Parse(node.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What one GPU reads now.</summary>
internal sealed class GpuState
{
    internal double Activity, Utilization, Power, Temperature, Margin, Clock, Memory, Pcie, NvLink, Throttle, Width, Fan, EccCorrected;
}

/// <summary>What one host reads now.</summary>
internal sealed class HostState
{
    internal double Cpu, PressureTotal, Memory, Network, ReadingAge, ReaderUp, ClockOffset, Leak, Neighbour;
}
