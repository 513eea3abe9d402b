namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// Arithmetic of beats. A sampler with interval I is due at wall-clock times t with t ≡ phase (mod I), so that all samplers meet,
/// and values of different hosts lie on the same grid, while each agent's constant phase spreads the fleet's load.
/// </summary>
public static class TickSchedule
{
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(60);

    /// <exception cref="ArgumentOutOfRangeException">Not 100 ms to 60 s in whole milliseconds.</exception>
    public static void CheckInterval(TimeSpan interval)
    {
        if (interval < ShortestInterval || interval > LongestInterval || interval.Ticks % TimeSpan.TicksPerMillisecond != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(interval), interval, "An interval is 100 ms to 60 s in whole milliseconds.");
        }
    }

    /// <summary>The first beat after a moment. All in milliseconds since 1970 UTC.</summary>
    public static long NextBeat(long afterUnixMs, long intervalMs, long phaseMs) =>
        afterUnixMs + intervalMs - PositiveRemainder(afterUnixMs - phaseMs, intervalMs);

    /// <summary>Whether a sampler is due at a beat.</summary>
    public static bool IsDue(long beatUnixMs, long intervalMs, long phaseMs) => PositiveRemainder(beatUnixMs - phaseMs, intervalMs) == 0;

    /// <summary>
    /// Beats that were missed between two that ran, by the monotonic clock. A quarter of an interval may be missing, because a
    /// wall clock that is being steered shortens or stretches the distance of two beats.
    /// </summary>
    public static long MissedBeats(long monotonicGapNs, long intervalMs)
    {
        long intervalNs = intervalMs * 1_000_000;
        return Math.Max(0, ((monotonicGapNs + (intervalNs / 4)) / intervalNs) - 1);
    }

    /// <summary>A phase for an agent: the same for the same identity, spread evenly over a second across many.</summary>
    /// <param name="identity">What is constant for the agent, such as its machine id.</param>
    public static TimeSpan PhaseOf(string identity)
    {
        uint hash = 2166136261; // FNV-1a: needs only be stable and even
        foreach (char c in identity)
        {
            hash = (hash ^ c) * 16777619;
        }

        return TimeSpan.FromMilliseconds(hash % 1000);
    }

    private static long PositiveRemainder(long value, long modulus)
    {
        long remainder = value % modulus;
        return remainder < 0 ? remainder + modulus : remainder;
    }
}
