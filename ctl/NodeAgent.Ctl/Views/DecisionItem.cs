using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>Where a job goes, and why. Moments of a token that is not there are null.</summary>
/// <param name="Job">The job.</param>
/// <param name="Outcome">placed, placed_with_moves, placed_with_evictions, wait, refused.</param>
/// <param name="Reason">In words, for anything but placed.</param>
/// <param name="Committed">It has the place for good.</param>
/// <param name="Assignments">One a replica.</param>
/// <param name="Moves">Replicas of others that go elsewhere first.</param>
/// <param name="Evictions">Jobs that stop first.</param>
/// <param name="CostPerGpuHour">GPU-hours per GPU-hour that it takes from others.</param>
/// <param name="Terms">Parts of the chosen node's score.</param>
/// <param name="RunnersUp">Nodes that were nearly chosen, with the term that decided.</param>
/// <param name="Rejected">Nodes that did not come into question, by reason.</param>
/// <param name="Counterfactuals">What would have changed the outcome.</param>
/// <param name="Version">State that the decision was made on.</param>
/// <param name="Token">Of a place that is only held.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="ExpiresUnixMs">The same.</param>
internal sealed record DecisionItem(
    string Job, string Outcome, string Reason, bool Committed, IReadOnlyList<AssignmentItem> Assignments, IReadOnlyList<MoveItem> Moves, IReadOnlyList<EvictionItem> Evictions,
    double CostPerGpuHour, IReadOnlyList<TermItem> Terms, IReadOnlyList<RunnerUpItem> RunnersUp, IReadOnlyList<RejectItem> Rejected, IReadOnlyList<string> Counterfactuals,
    ulong Version, string? Token, string? Expires, long? ExpiresUnixMs)
{
    public static bool IsPlaced(Decision decision) => decision.Outcome is PlacementOutcome.Placed or PlacementOutcome.PlacedWithMoves or PlacementOutcome.PlacedWithEvictions;

    public static DecisionItem From(Decision decision, bool isCommitted)
    {
        Explanation why = decision.Why ?? new Explanation();
        bool isHeld = !isCommitted && decision.Token.Length > 0;
        return new DecisionItem(
            decision.Job, Word(decision.Outcome), decision.Reason, isCommitted, [.. decision.Assignments.Select(AssignmentItem.From)],
            [.. decision.Moves.Select(move => new MoveItem(move.Job, move.From, move.To, [.. move.Devices]))], [.. decision.Evictions.Select(job => new EvictionItem(job.Job, job.LostGpuHours))],
            decision.CostPerGpuHour, [.. why.Terms.Select(TermItem.From)], [.. why.RunnersUp.Select(other => new RunnerUpItem(other.Node, other.Score, TermItem.From(other.Decided ?? new ScoreTerm())))],
            [.. why.Rejected.Select(reject => new RejectItem(reject.Reason, reject.Nodes))], [.. why.Counterfactuals], decision.Version,
            isHeld ? decision.Token : null, isHeld ? MomentText.Rfc3339(decision.ExpiresUnixMs) : null, isHeld ? decision.ExpiresUnixMs : null);
    }

    private static string Word(PlacementOutcome outcome) => outcome switch
    {
        PlacementOutcome.Placed => "placed",
        PlacementOutcome.PlacedWithMoves => "placed_with_moves",
        PlacementOutcome.PlacedWithEvictions => "placed_with_evictions",
        PlacementOutcome.Wait => "wait",
        PlacementOutcome.Refused => "refused",
        _ => "unknown",
    };
}

/// <summary>A replica's place. MigStart: first memory slice of a partition; null: none.</summary>
internal sealed record AssignmentItem(uint Replica, string Node, IReadOnlyList<uint> Devices, IReadOnlyList<string> DeviceUuids, uint? MigStart)
{
    public static AssignmentItem From(Assignment assignment) =>
        new(assignment.Replica, assignment.Node, [.. assignment.Devices], [.. assignment.DeviceUuids], assignment.HasMigStart ? assignment.MigStart : null);
}

/// <summary>A move, in the order in which it is to be done.</summary>
internal sealed record MoveItem(string Job, string From, string To, IReadOnlyList<uint> Devices)
{
    internal static MoveItem Of(PlannedMove move) => new(move.Job, move.From, move.To, [.. move.Devices]);
}

/// <summary>A job that stops.</summary>
internal sealed record EvictionItem(string Job, double LostGpuHours);

/// <summary>A part of a score.</summary>
internal sealed record TermItem(string Name, double Value, string Unit)
{
    public static TermItem From(ScoreTerm term) => new(term.Name, term.Value, term.Unit);
}

/// <summary>A node that was nearly chosen.</summary>
internal sealed record RunnerUpItem(string Node, double Score, TermItem Decided);

/// <summary>Nodes that did not come into question.</summary>
internal sealed record RejectItem(string Reason, uint Nodes);
