using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Top;

/// <summary>One node of <c>nodectl top</c>. Null: no value, because the node does not send it or its samples are too old.</summary>
internal sealed record TopItem
{
    public required string Node { get; init; }
    public required string State { get; init; }
    public required long? AgeMs { get; init; }

    /// <summary>Busy share of all processors: neither idle nor waiting for I/O.</summary>
    public double? CpuRatio { get; init; }

    /// <summary>Used share of the memory: total without what the kernel calls available.</summary>
    public double? MemoryRatio { get; init; }

    public double? MemoryUsedBytes { get; init; }
    public double? MemoryTotalBytes { get; init; }
    public double? Load1 { get; init; }
    public double? ReceiveBytesPerSecond { get; init; }
    public double? TransmitBytesPerSecond { get; init; }
    public double? ReadBytesPerSecond { get; init; }
    public double? WrittenBytesPerSecond { get; init; }

    /// <summary>Share of the time in which the busiest disk had a request in flight.</summary>
    public double? DiskBusyRatio { get; init; }

    /// <summary>Shares of the time in which some task waited for the resource (pressure stall information).</summary>
    public double? CpuPressureRatio { get; init; }
    public double? MemoryPressureRatio { get; init; }
    public double? IoPressureRatio { get; init; }

    /// <summary>The largest of the three pressures, and which it is: "c", "m" or "i".</summary>
    internal (double Ratio, char Which)? Pressure()
    {
        (double Ratio, char Which)? largest = null;
        foreach ((double? ratio, char which) in (ReadOnlySpan<(double?, char)>)[(CpuPressureRatio, 'c'), (MemoryPressureRatio, 'm'), (IoPressureRatio, 'i')])
        {
            if (ratio is { } value && (largest is null || value > largest.Value.Ratio)) largest = (value, which);
        }

        return largest;
    }
}
