using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Mig;

/// <summary>Where a partition goes.</summary>
/// <param name="Node">−1: nowhere.</param>
/// <param name="Lane">Device.</param>
/// <param name="Start">First memory slice.</param>
/// <param name="Score">Memory slices of future waste avoided.</param>
public readonly record struct MigChoice(int Node, int Lane, int Start, double Score)
{
    /// <summary>Whether there is a place.</summary>
    public bool Found => Node >= 0;
}

/// <summary>
/// Places MIG profiles on the partitioned nodes of a fleet. A device has at most 2,048 states, so the best start per (state, profile) is a
/// table; nodes are scanned, ties go to the smaller node, then the smaller device.
/// </summary>
public sealed class MigSearch
{
    private readonly FleetState _state;
    private readonly int[] _nodes;
    private readonly (sbyte Start, float Score)[][] _best;

    /// <param name="state">The fleet.</param>
    /// <param name="value">Value table of the expected mix.</param>
    /// <param name="fragmentWeight">0 while filling, 1 in steady state.</param>
    public MigSearch(FleetState state, MigValue value, double fragmentWeight)
    {
        _state = state;
        _nodes = [.. Enumerable.Range(0, state.Count).Where(node => state.Catalog.Nodes[node].Mig)];
        _best = new (sbyte, float)[MigProfile.All.Count][];
        for (int profile = 0; profile < _best.Length; profile++)
        {
            _best[profile] = new (sbyte, float)[MigProfile.States];
            for (int device = 0; device < MigProfile.States; device++)
            {
                bool fits = value.TryBest(device, MigProfile.All[profile], fragmentWeight, out int start, out double score);
                _best[profile][device] = fits ? ((sbyte)start, (float)score) : ((sbyte)-1, 0);
            }
        }
    }

    /// <summary>The demand that the book subtracts: a partition adds the bits of its slices to the state of the device.</summary>
    public static Demand Instance(Demand ask, MigProfile profile, int start) => ask with { GpuCount = 1, GpuMilli = -profile.Bits(start) };

    /// <summary>The best place of a profile.</summary>
    /// <param name="ask">CPU, memory, bandwidth and models (as <see cref="ResourceAsk.On"/> gives them).</param>
    /// <param name="profile">Index in <see cref="MigProfile.All"/>.</param>
    public MigChoice Find(in Demand ask, int profile)
    {
        var best = new MigChoice(-1, 0, 0, double.NegativeInfinity);
        foreach (int node in _nodes)
        {
            NodeCondition condition = _state.Condition(node);
            if (condition.Filter != NodeFilter.None || !ask.Accepts(_state.Catalog.ModelOf[node]) || _state.Cpu(node) < ask.CpuMilli || _state.Memory(node) < ask.MemoryMiB || _state.Nic(node) < ask.NicMbps)
            {
                continue;
            }

            GpuLanes devices = _state.Gpus(node);
            for (int lane = 0; lane < _state.Catalog.Nodes[node].GpuCount; lane++)
            {
                (sbyte start, float score) = _best[profile][devices[lane]];
                if (start >= 0 && (condition.DeratedLanes >> lane & 1) == 0 && score > best.Score)
                {
                    best = new MigChoice(node, lane, start, score);
                }
            }
        }

        return best;
    }
}
