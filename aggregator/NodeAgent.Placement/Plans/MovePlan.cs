namespace NodeAgent.Placement.Plans;

/// <summary>One step of a plan, in the order in which it is to be done.</summary>
/// <param name="Job">Whose replica.</param>
/// <param name="Allocation">Its number when the plan was made.</param>
/// <param name="From">Node name.</param>
/// <param name="To">Node name.</param>
/// <param name="Devices">GPU indexes at the target.</param>
public sealed record PlannedMove(string Job, int Allocation, string From, string To, IReadOnlyList<int> Devices);

/// <summary>Moves with what they bring. Nothing is done until the plan is applied.</summary>
/// <param name="Moves">In order.</param>
/// <param name="Complete">Whether the goal is reached.</param>
/// <param name="Unplaced">Jobs for which no place was found.</param>
/// <param name="Gain">What it brings after move prices, in GPU thousandths; 0 where the goal is all or nothing.</param>
/// <param name="Version">State version that it was made on; applied to another, it is refused.</param>
/// <param name="Summary">In words.</param>
public sealed record MovePlan(IReadOnlyList<PlannedMove> Moves, bool Complete, IReadOnlyList<string> Unplaced, double Gain, long Version, string Summary);
