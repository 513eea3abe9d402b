namespace NodeAgent.Placement.Fleet;

/// <summary>
/// What telemetry says about a node, as far as placement cares. Telemetry enters in three ways only: it keeps work away
/// (<see cref="Filter"/>), it makes GPUs smaller (<see cref="DeratedLanes"/>), or it costs (<see cref="Risk"/>).
/// </summary>
/// <param name="Filter">Why no new work goes there; <see cref="NodeFilter.None"/>: it may.</param>
/// <param name="DeratedLanes">Devices that take no new work (throttled, ECC errors), a bit per device.</param>
/// <param name="Risk">Expected loss class, 0 (none) to <see cref="RiskScale.Worst"/>.</param>
public readonly record struct NodeCondition(NodeFilter Filter, byte DeratedLanes, byte Risk);

/// <summary>Why a node takes no new work.</summary>
public enum NodeFilter : byte
{
    None = 0,
    Dead = 1,
    Draining = 2,
    Stale = 3,
    Cordoned = 4,
}

/// <summary>
/// The expected loss of a GPU-hour on a node, in steps of a factor of two. Nodes of one step are alike to the search, so a continuous
/// figure would make every node a state of its own; a factor of two is finer than any fault prediction is sure of.
/// </summary>
public static class RiskScale
{
    /// <summary>The highest class.</summary>
    public const byte Worst = 15;

    // Class 1 is a loss of 1/16384 GPU-hour an hour: about one failure in two years with an hour lost each.
    private const double LossOfFirstClass = 1.0 / 16384;

    /// <summary>GPU-hours expected to be lost for each GPU-hour spent.</summary>
    public static double LossRatio(byte risk) => risk == 0 ? 0 : LossOfFirstClass * (1 << (risk - 1));

    /// <summary>
    /// The class of a loss ratio: hazard (failures an hour) x hours lost per failure, plus the slow-down (0.1: a tenth slower),
    /// plus what the operator charges for heat.
    /// </summary>
    public static byte Classify(double lossRatio)
    {
        if (!(lossRatio > LossOfFirstClass / 2))
        {
            return 0;
        }

        return (byte)Math.Clamp(1 + (int)Math.Round(Math.Log2(lossRatio / LossOfFirstClass)), 1, Worst);
    }
}
