namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// rate() and increase() as Prometheus computes them (extrapolatedRate in promql/functions.go).
///
/// Resets: wherever a value is below the one before it, the counter restarted from zero in between, so the value before is added.
/// This is decided per pair of neighbours in time, so it does not matter why or where it happened: an agent restart, a new schema,
/// another chunk, a late row sorted in.
///
/// Extrapolation: samples do not lie on the window's edges. The increase between the first and the last is extended to each edge
/// if the edge is nearer than 1.1 average distances of samples, otherwise by half such a distance (the series began or ended
/// there); towards the start never further than to where the counter would have been zero.
/// </summary>
internal static class CounterMath
{
    private const double EdgeIsNear = 1.1;

    /// <summary>Increase over the window; NaN with fewer than two samples.</summary>
    /// <param name="times">Ascending, all within the window.</param>
    /// <param name="values">Without NaN.</param>
    /// <param name="resets">Sum of the values before each reset between the first and the last.</param>
    /// <param name="windowStartUnixMs">Edge, exclusive.</param>
    /// <param name="windowEndUnixMs">Edge, inclusive.</param>
    public static double Increase(
        ReadOnlySpan<long> times, ReadOnlySpan<double> values, double resets, long windowStartUnixMs, long windowEndUnixMs)
    {
        if (values.Length < 2)
        {
            return double.NaN;
        }

        return Increase(values.Length, times[0], values[0], times[^1], values[^1], resets, windowStartUnixMs, windowEndUnixMs);
    }

    /// <summary>As above, of what is left of the samples in a tier: how many, the first and the last.</summary>
    public static double Increase(
        long count, long firstUnixMs, double first, long lastUnixMs, double last, double resets, long windowStartUnixMs, long windowEndUnixMs)
    {
        if (count < 2)
        {
            return double.NaN;
        }

        double increase = last - first + resets;
        double sampledMs = lastUnixMs - firstUnixMs;
        double averageMs = sampledMs / (count - 1);
        double toStartMs = ToEdge(firstUnixMs - windowStartUnixMs, averageMs);
        double toEndMs = ToEdge(windowEndUnixMs - lastUnixMs, averageMs);
        if (increase > 0 && first >= 0)
        {
            toStartMs = Math.Min(toStartMs, sampledMs * (first / increase));
        }

        return increase * ((sampledMs + toStartMs + toEndMs) / sampledMs);
    }

    private static double ToEdge(double distanceMs, double averageMs) => distanceMs >= averageMs * EdgeIsNear ? averageMs / 2 : distanceMs;
}
