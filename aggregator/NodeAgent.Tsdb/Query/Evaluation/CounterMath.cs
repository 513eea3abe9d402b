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

        double increase = values[^1] - values[0] + resets;
        double sampledMs = times[^1] - times[0];
        double averageMs = sampledMs / (values.Length - 1);
        double toStartMs = ToEdge(times[0] - windowStartUnixMs, averageMs);
        double toEndMs = ToEdge(windowEndUnixMs - times[^1], averageMs);
        if (increase > 0 && values[0] >= 0)
        {
            toStartMs = Math.Min(toStartMs, sampledMs * (values[0] / increase));
        }

        return increase * ((sampledMs + toStartMs + toEndMs) / sampledMs);
    }

    private static double ToEdge(double distanceMs, double averageMs) => distanceMs >= averageMs * EdgeIsNear ? averageMs / 2 : distanceMs;
}
