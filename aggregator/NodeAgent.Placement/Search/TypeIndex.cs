using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Search;

/// <summary>The scores of one request type on all live states, one tree per GPU model, brought up to date when asked.</summary>
internal sealed class TypeIndex
{
    private readonly Demand _demand;
    private readonly IPlacementPolicy _policy;
    private readonly ModelGroups[] _models;

    public TypeIndex(Demand demand, IPlacementPolicy policy, ModelGroups[] models)
    {
        (_demand, _policy, _models) = (demand, policy, models);
        Trees = new ScoreTree[models.Length];
        ModelPrice = new double[models.Length];
        for (int model = 0; model < models.Length; model++)
        {
            Trees[model] = new ScoreTree();
        }
    }

    public ScoreTree[] Trees { get; }

    /// <summary>Price of each model in the decision under way.</summary>
    public double[] ModelPrice { get; }

    /// <summary>Number of the last question, to forget the type that was not asked for longest.</summary>
    public long LastAsked { get; set; }

    /// <summary>The tree of a model, current.</summary>
    public ScoreTree Current(int model)
    {
        ScoreTree tree = Trees[model];
        ModelGroups groups = _models[model];
        if (tree.Position == groups.Head)
        {
            return tree;
        }

        if (groups.SlotCount > tree.Capacity || !groups.Covers(tree.Position))
        {
            tree.Reset(groups.SlotCount);
            for (int slot = 0; slot < groups.SlotCount; slot++)
            {
                Score(tree, groups, slot);
            }
        }
        else
        {
            for (long change = tree.Position; change < groups.Head; change++)
            {
                int slot = groups.SlotAt(change);
                if (slot >= 0)
                {
                    Score(tree, groups, slot);
                }
            }
        }

        tree.Position = groups.Head;
        return tree;
    }

    private void Score(ScoreTree tree, ModelGroups groups, int slot)
    {
        StateGroup? group = groups[slot];
        if (group is null)
        {
            tree.Set(slot, 0, 0);
            return;
        }

        ulong known = tree.LeafOf(slot);
        if (tree.GenerationOf(slot) == group.Generation)
        {
            // The same state with another first node: the score stands.
            tree.Set(slot, known == 0 ? 0 : ScoreTree.Key(ScoreTree.Score(known), group.Nodes.First), group.Generation);
            return;
        }

        bool fits = _demand.Fits(group.State.Cpu, group.State.Gpus);
        tree.Set(slot, fits ? ScoreTree.Key(DeviceChoice.Best(_policy, group.State, _demand, out _), group.Nodes.First) : 0, group.Generation);
    }
}
