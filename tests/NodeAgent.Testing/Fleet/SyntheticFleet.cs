namespace NodeAgent.Testing.Fleet;

/// <summary>
/// A fleet of eight-GPU nodes that never existed: telemetry for benchmarks and simulation, the same for the same seed. Each node has 402
/// series (66 of the host, 42 of each GPU) in these shares: constants 35 %, integer gauges 24 %, byte and energy counters 16 %, counters
/// that hardly move 9 %, ratios with six decimals 8 %, full-precision ratios 4 %, decimal gauges 3 %, decimal counters 1.5 %. 70 % of the
/// nodes train (steps, checkpoints), 20 % serve (a load that wanders), 10 % idle. A fifth of the nodes' clocks jitter by a millisecond.
/// Real nodes differ; the mix is the main uncertainty in every figure per sample.
/// </summary>
public sealed class SyntheticFleet
{
    /// <param name="nodes">How many.</param>
    /// <param name="seed">Of everything.</param>
    public SyntheticFleet(int nodes, int seed)
    {
        SyntheticNode[] all = new SyntheticNode[nodes];
        for (int i = 0; i < nodes; i++)
        {
            all[i] = new SyntheticNode(i, seed);
        }

        Nodes = all;
    }

    /// <summary>Series of a node.</summary>
    public const int SeriesPerNode = SyntheticNode.HostSeries + (SyntheticNode.Gpus * SyntheticNode.SeriesPerGpu);

    public IReadOnlyList<SyntheticNode> Nodes { get; }
}
