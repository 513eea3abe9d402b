using NodeAgent.Placement.Fleet;

namespace NodeAgent.Placement.Values;

/// <summary>V(s) = waste weight x L(s) + fragment weight x F(s), remembered. Not thread-safe, as the engine that owns it.</summary>
public sealed class StateValue(FutureWaste? waste, double wasteWeight, FragmentMeasure? fragments, double fragmentWeight)
{
    private readonly ValueCache _cache = new();

    /// <summary>Values computed so far (not found in the cache).</summary>
    public long Evaluations => _cache.Misses;

    /// <summary>V of a state, in thousandths of a GPU.</summary>
    /// <param name="model">GPU model.</param>
    /// <param name="cpuLeft">Thousandths of a core.</param>
    /// <param name="sorted">As <see cref="GpuLanes.Sorted"/> gives them.</param>
    public float Of(int model, int cpuLeft, GpuLanes sorted)
    {
        if (_cache.TryGet(model, cpuLeft, sorted, out float value))
        {
            return value;
        }

        value = (float)((waste is null ? 0 : wasteWeight * waste.Evaluate(model, cpuLeft, sorted))
            + (fragments is null ? 0 : fragmentWeight * fragments.Evaluate(model, cpuLeft, sorted)));
        _cache.Add(model, cpuLeft, sorted, value);
        return value;
    }
}
