using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>How far a rollout may go, and when it must not. What a node allows, the node decides; this is what keeps a fleet from a mistake.</summary>
internal static class RolloutRules
{
    /// <summary>Between two waves, unless asked otherwise.</summary>
    internal static readonly TimeSpan DefaultSoak = TimeSpan.FromMinutes(1);

    /// <summary>A command's window is at most fifteen minutes; a longer pause would let the next wave's pass.</summary>
    internal static readonly TimeSpan MaxSoak = TimeSpan.FromMinutes(10);

    // Cumulative shares of the targets: one, then 1 %, 5 %, 25 %, the rest.
    private static readonly double[] Shares = [0.01, 0.05, 0.25, 1];

    /// <summary>The wave of each target, from 0, rising. Reading goes to all at once.</summary>
    internal static int[] Waves(int targets, bool onlyReads)
    {
        int[] waves = new int[targets];
        if (onlyReads)
        {
            return waves;
        }

        int wave = 0;
        int done = Math.Min(1, targets);
        foreach (double share in Shares)
        {
            int upTo = (int)Math.Ceiling(share * targets);
            if (upTo > done)
            {
                wave++;
                waves.AsSpan(done..upTo).Fill(wave);
                done = upTo;
            }
        }

        return waves;
    }

    /// <summary>So many failures end a rollout: two, or 5 %, whichever comes first.</summary>
    internal static int FailuresToStop(int targets) => Math.Max(1, Math.Min(2, (int)Math.Ceiling(0.05 * targets)));

    /// <summary>People who must sign, and why.</summary>
    /// <param name="description">The kind.</param>
    /// <param name="dryRun">Nothing is changed.</param>
    /// <param name="targets">How many nodes.</param>
    /// <param name="fleet">How many there are.</param>
    internal static (int Approvals, string Reason) Approvals(CommandDescription description, bool dryRun, int targets, int fleet)
    {
        if (dryRun || description.Risk == RiskClass.R0)
        {
            return (0, "it only reads");
        }

        // One node is never "broad": in a fleet of three it would be a third.
        int narrow = Math.Max(1, Math.Min(5, (int)(0.05 * fleet)));
        return description.MinApprovals >= 2 ? (description.MinApprovals, $"{description.Risk} takes a GPU or a node away")
            : targets > narrow ? (2, $"{targets} nodes are more than {narrow} (5, or 5 % of {fleet})")
            : (1, $"{description.Risk} on {targets} {(targets == 1 ? "node" : "nodes")}");
    }

    /// <summary>Nodes that may be away at once, those that failed by themselves included: 10 %, but always one.</summary>
    internal static int MostUnavailable(int fleet) => Math.Max(1, fleet / 10);
}
