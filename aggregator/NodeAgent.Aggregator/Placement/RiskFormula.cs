using NodeAgent.Placement.Fleet;

namespace NodeAgent.Aggregator.Placement;

/// <summary>What the counters of a node's GPUs say about the hours that work there will lose; per GPU, on average.</summary>
/// <param name="UncorrectedErrorsPerHour">Uncorrected ECC errors within the last hour.</param>
/// <param name="UncorrectableRows">Rows of device memory that were replaced because of uncorrectable errors, ever.</param>
/// <param name="ThrottledRatio">Share of the last hour in which heat or hardware held the clocks down, 0 to 1.</param>
internal readonly record struct RiskEvidence(double UncorrectedErrorsPerHour, double UncorrectableRows, double ThrottledRatio)
{
    // An uncorrected error ends the process that met it. An hour: about half of a usual distance of checkpoints, and the way back.
    private const double HoursLostPerFailure = 1;

    // A board that has had to replace a row is expected to fail again within a month. A judgement: no source gives a rate per row.
    private const double HoursToNextRow = 30 * 24;

    // Hardware slow-down halves the clock or more (NVML: "reduces the core clocks by a factor of 2 or more").
    private const double LossWhileThrottled = 0.5;

    /// <summary>GPU-hours lost for each spent: hazard x hours per failure, plus the slow-down.</summary>
    internal double LossRatio =>
        ((UncorrectedErrorsPerHour + (UncorrectableRows / HoursToNextRow)) * HoursLostPerFailure) + (ThrottledRatio * LossWhileThrottled);

    /// <summary>The same as a class of the engine.</summary>
    internal byte Class => RiskScale.Classify(Math.Min(LossRatio, 1));
}
