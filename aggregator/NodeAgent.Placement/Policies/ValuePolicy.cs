using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Policies;

/// <summary>
/// The value-and-price policy: the node whose value falls least, V(s) - V(s + request), less a little for every whole free device
/// (weak concentration), less scarcity prices, less what the risk of the node costs. In thousandths of a GPU.
/// </summary>
/// <param name="name">As people write it.</param>
/// <param name="value">V.</param>
/// <param name="freeDevicePrice">For each whole free device of the node: 3 while filling, 100 in steady state (<see cref="PolicyFactory"/>).</param>
/// <param name="lossPrice">GPU thousandths charged for a loss of one GPU-hour per GPU-hour; see <see cref="RiskScale"/>.</param>
public sealed class ValuePolicy(string name, StateValue value, double freeDevicePrice, double lossPrice = 1000) : IPlacementPolicy
{
    public string Name => name;

    public bool ChoosesDevice => true;

    public bool UsesPrices => true;

    /// <summary>V, for explanations and plans.</summary>
    public StateValue Value => value;

    /// <summary>Charged for each whole free device of the node.</summary>
    public double FreeDevicePrice => freeDevicePrice;

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        float before = value.Of(state.Model, state.Cpu, state.Gpus.Sorted());
        float after = value.Of(state.Model, state.Cpu - demand.CpuMilli, state.Gpus.TakeEach(lanes, demand.GpuMilli).Sorted());
        return (float)(before - after - (freeDevicePrice * state.Gpus.WholeCount) - RiskCost(state.Risk, demand));
    }

    /// <summary>What the expected loss on a node of this risk costs this request.</summary>
    public double RiskCost(byte risk, in Demand demand) =>
        risk == 0 ? 0 : lossPrice * RiskScale.LossRatio(risk) * Math.Max(1, demand.TotalGpuMilli / 1000.0);
}
