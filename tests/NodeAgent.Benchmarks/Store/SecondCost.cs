using System.Diagnostics;
using System.Globalization;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// Where the time of a stretch of work went. On a machine that others use too, most of a long second is waiting for a processor, which the
/// kernel accounts for (second number of /proc/thread-self/schedstat, nanoseconds on a run queue); the rest is ours.
/// </summary>
internal readonly record struct SecondCost(double WallMs, double CpuMs, double QueuedMs, double GcMs)
{
    /// <summary>Wall time but for waiting for a processor: work, locks, page faults, the collector's pauses.</summary>
    internal double OwnMs => WallMs - QueuedMs;

    internal static SecondCost Now() => new(
        Stopwatch.GetTimestamp() * 1_000.0 / Stopwatch.Frequency, ThreadCpu.ThreadSeconds() * 1_000, QueuedNow(), GC.GetTotalPauseDuration().TotalMilliseconds);

    public static SecondCost operator -(SecondCost end, SecondCost start) => new(
        end.WallMs - start.WallMs, end.CpuMs - start.CpuMs, end.QueuedMs - start.QueuedMs, end.GcMs - start.GcMs);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{WallMs:0} ms, of which {CpuMs:0} computing, {QueuedMs:0} waiting for a processor; the collector paused {GcMs:0}");

    private static double QueuedNow() => File.Exists("/proc/thread-self/schedstat")
        ? double.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[1], CultureInfo.InvariantCulture) / 1e6
        : 0;
}
