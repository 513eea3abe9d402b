using NodeAgent.Placement.Plans;

namespace NodeAgent.Placement.Requests;

/// <summary>How a request ended.</summary>
public enum PlacementOutcome
{
    Placed = 0,
    PlacedWithMoves = 1,
    PlacedWithEvictions = 2,

    /// <summary>Does not fit now, but would on this fleet with less on it.</summary>
    Wait = 3,

    /// <summary>Will not fit, or must not.</summary>
    Refused = 4,
}

/// <summary>Where a replica goes.</summary>
/// <param name="Replica">0, 1, ...</param>
/// <param name="Node">Node name.</param>
/// <param name="Devices">GPU indexes on the node.</param>
/// <param name="MigStart">First memory slice; −1: not partitioned.</param>
public sealed record Assignment(int Replica, string Node, IReadOnlyList<int> Devices, int MigStart = -1);

/// <summary>A job that is stopped for another.</summary>
/// <param name="Job">Which.</param>
/// <param name="LostGpuHours">Work since its last checkpoint.</param>
public sealed record Eviction(string Job, double LostGpuHours);

/// <summary>One term of a score.</summary>
/// <param name="Name">Such as "future waste" or "price of large hosts".</param>
/// <param name="Value">What it adds to the score.</param>
/// <param name="Unit">Always the unit of the score.</param>
public sealed record ScoreTerm(string Name, double Value, string Unit);

/// <summary>A node that was nearly chosen.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Score">Its score.</param>
/// <param name="Decided">The term that differs most from the chosen node's, to its disadvantage.</param>
public sealed record RunnerUp(string Node, double Score, ScoreTerm Decided);

/// <summary>Nodes that did not come into question, by reason.</summary>
public sealed record RejectCount(string Reason, int Nodes);

/// <summary>Why a request ended as it did.</summary>
/// <param name="Terms">Of the (first) chosen node; empty if none.</param>
/// <param name="RunnersUp">Up to three.</param>
/// <param name="Rejected">Reasons with their counts; every node that was not a candidate is counted once.</param>
/// <param name="Counterfactuals">What would have changed the outcome.</param>
public sealed record Explanation(
    IReadOnlyList<ScoreTerm> Terms,
    IReadOnlyList<RunnerUp> RunnersUp,
    IReadOnlyList<RejectCount> Rejected,
    IReadOnlyList<string> Counterfactuals);

/// <summary>The answer to a request.</summary>
/// <param name="Job">The job.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">In words, for anything but <see cref="PlacementOutcome.Placed"/>.</param>
/// <param name="Assignments">One per replica placed.</param>
/// <param name="Moves">Replicas of other jobs that go elsewhere first.</param>
/// <param name="Evictions">Jobs that stop first.</param>
/// <param name="CostPerGpuHour">Opportunity cost in GPU-hours per GPU-hour: what the placement takes from others.</param>
/// <param name="Why">Terms, runners-up, rejects, counterfactuals.</param>
/// <param name="Version">State version that the decision was made on.</param>
/// <param name="Token">Holds the place until it expires; empty if nothing was placed or it was a dry run.</param>
/// <param name="Expires">When the token does.</param>
public sealed record PlacementDecision(
    string Job,
    PlacementOutcome Outcome,
    string Reason,
    IReadOnlyList<Assignment> Assignments,
    IReadOnlyList<JobMove> Moves,
    IReadOnlyList<Eviction> Evictions,
    double CostPerGpuHour,
    Explanation Why,
    long Version,
    string Token,
    DateTimeOffset Expires)
{
    /// <summary>Whether there is a place.</summary>
    public bool IsPlaced => Outcome <= PlacementOutcome.PlacedWithEvictions;
}

/// <summary>A replica that moves.</summary>
/// <param name="Job">Whose.</param>
/// <param name="From">Node name.</param>
/// <param name="To">Node name.</param>
/// <param name="Devices">GPU indexes there.</param>
public sealed record JobMove(string Job, string From, string To, IReadOnlyList<int> Devices);

/// <summary>A node that would take a replica.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Score">The policy's own; larger is better.</param>
/// <param name="Devices">GPU indexes that the replica would take.</param>
public sealed record RankedNode(string Node, double Score, IReadOnlyList<int> Devices);
