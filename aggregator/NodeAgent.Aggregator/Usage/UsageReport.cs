namespace NodeAgent.Aggregator.Usage;

/// <summary>Where a row's energy comes from.</summary>
[Flags]
internal enum EnergySources
{
    /// <summary>There is neither a counter nor a power reading.</summary>
    None = 0,

    /// <summary>The driver's energy counter, resets compensated.</summary>
    Counter = 1,

    /// <summary>Mean power times the time for which the GPU was seen.</summary>
    Power = 2,
}

/// <summary>What is asked.</summary>
/// <param name="FromUnixMs">Start, exclusive; moved back to a whole step.</param>
/// <param name="ToUnixMs">End, inclusive; moved back to a whole step.</param>
/// <param name="By">Label that names the rows: <c>node</c>, or any other.</param>
/// <param name="PricePerGpuHour">For idle costs.</param>
/// <param name="IdleBelowRatio">Mean utilisation below which a step counts as idle.</param>
internal sealed record UsageQuestion(long FromUnixMs, long ToUnixMs, string By, double PricePerGpuHour, double IdleBelowRatio);

/// <summary>One node, label value or job.</summary>
internal sealed record UsageRow
{
    /// <summary>The label's value; empty: GPUs without the label.</summary>
    public required string Key { get; init; }

    /// <summary>GPUs that were seen at all.</summary>
    public required int Gpus { get; init; }

    /// <summary>Time for which they were seen, summed, in hours; a step counts whole when it has a sample.</summary>
    public required double GpuHours { get; init; }

    /// <summary>Mean utilisation over that time, 0 to 1; NaN: never seen.</summary>
    public required double MeanUtilizationRatio { get; init; }

    public required double IdleHours { get; init; }

    public double IdleCost { get; init; }

    public required double EnergyKilowattHours { get; init; }

    public required EnergySources Energy { get; init; }
}

/// <summary>The answer.</summary>
/// <param name="FromUnixMs">Start, as it was taken.</param>
/// <param name="ToUnixMs">End, as it was taken.</param>
/// <param name="StepMs">What was looked at as one: a GPU is busy or idle for so long at a time.</param>
/// <param name="Rows">Sorted by key.</param>
/// <param name="Total">Over all rows; its key is empty.</param>
internal sealed record UsageReport(long FromUnixMs, long ToUnixMs, long StepMs, IReadOnlyList<UsageRow> Rows, UsageRow Total);
