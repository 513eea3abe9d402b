using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Policies;

/// <summary>
/// Scores one way of putting a request on a node; the highest score wins, ties go to the smaller node number. A pure function of its
/// arguments for as long as the policy lives. The search calls it only where the request fits.
/// </summary>
public interface IPlacementPolicy
{
    /// <summary>As people write it.</summary>
    string Name { get; }

    /// <summary>True: the score depends on <see cref="NodeState.Tags"/>.</summary>
    bool SeesTags => false;

    /// <summary>True: which device a share goes to is part of the score; false: the tightest, the first of equals.</summary>
    bool ChoosesDevice => false;

    /// <summary>True: scarcity prices are subtracted from the score.</summary>
    bool UsesPrices => false;

    /// <summary>The score, in the policy's own unit. Must be a finite float.</summary>
    /// <param name="state">The node before; lanes in any order.</param>
    /// <param name="demand">The request.</param>
    /// <param name="lanes">Devices it would take (of <paramref name="state"/>), a bit each.</param>
    float Score(in NodeState state, in Demand demand, uint lanes);
}
