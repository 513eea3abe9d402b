using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Search;

/// <summary>The scores of one request type on all live states, one tree per partition, brought up to date when asked.</summary>
internal sealed class TypeIndex(Demand demand, IPlacementPolicy policy)
{
    /// <summary>A tree per partition, by its number.</summary>
    public List<ScoreTree> Trees { get; } = [];

    /// <summary>Least price of each partition in the decision under way.</summary>
    public List<double> LeastPrice { get; } = [];

    /// <summary>Number of the last question, to forget the type that was not asked for longest.</summary>
    public long LastAsked { get; set; }

    /// <summary>The tree of a partition, current.</summary>
    public ScoreTree Current(Partition groups, int number)
    {
        while (Trees.Count <= number)
        {
            Trees.Add(new ScoreTree());
            LeastPrice.Add(0);
        }

        ScoreTree tree = Trees[number];
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

    private void Score(ScoreTree tree, Partition groups, int slot)
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

        bool fits = demand.Fits(group.State.Cpu, group.State.Gpus);
        tree.Set(slot, fits ? ScoreTree.Key(DeviceChoice.Best(policy, group.State, demand, out _), group.Nodes.First) : 0, group.Generation);
    }
}
