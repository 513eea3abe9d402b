namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// Reads one source on the tick. A sampler only reads and says what happened: the runner times, counts, logs and turns an
/// I/O exception into <see cref="SampleStatus.Failed"/>, so one bad source never costs the others their tick.
/// Called by one thread at a time. After warm-up a call allocates nothing unless the set of columns changes.
/// </summary>
public interface ISampler
{
    /// <summary>Lower-case noun, stable: it is the schema's name, the configuration key and the <c>collector</c> label.</summary>
    string Name { get; }

    /// <summary>The columns this sampler fills. It may rebuild them inside <see cref="Sample"/> when devices come and go.</summary>
    SeriesTable Series { get; }

    /// <summary>
    /// Reads the source and sets one value per column that has one; a column not set carries no sample for this tick,
    /// which is not zero.
    /// </summary>
    SampleStatus Sample(in SampleTime now);
}

/// <summary>The moment of a tick; the same for all samplers of the tick.</summary>
/// <param name="WallUnixMs">Milliseconds since 1970 UTC by the host's clock.</param>
/// <param name="MonotonicNs">Nanoseconds by a clock that never jumps.</param>
public readonly record struct SampleTime(long WallUnixMs, long MonotonicNs);

/// <summary>What became of one sampler's call. Numbers are exported as a label and only grow.</summary>
public enum SampleStatus
{
    /// <summary>Every source was read; columns without a value have none.</summary>
    Ok = 0,

    /// <summary>The source does not exist on this host or holds nothing: neither zero nor an error.</summary>
    NoData = 1,

    /// <summary>A source was longer than any known; what could be parsed was set, the rest is missing.</summary>
    Truncated = 2,

    /// <summary>A source did not have the expected form; what could be parsed was set.</summary>
    Malformed = 3,

    /// <summary>The source could not be read.</summary>
    Failed = 4,

    /// <summary>The source did not answer in time; its values are those of an earlier tick or missing.</summary>
    Stalled = 5,
}
