using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// CPU time of this process but for what its own thread spends on making data: the making is measured and taken off.
/// </summary>
internal sealed partial class ThreadCpu
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID, include/uapi/linux/time.h

    private readonly double _started = ProcessSeconds();
    private double _excluded;

    /// <summary>Runs something that does not count.</summary>
    internal void Exclude(Action act)
    {
        double before = ThreadSeconds();
        act();
        _excluded += ThreadSeconds() - before;
    }

    internal double Seconds => ProcessSeconds() - _started - _excluded;

    internal static double ProcessSeconds()
    {
        using Process self = Process.GetCurrentProcess();
        return self.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>CPU time of the calling thread: on a busy machine it says more than the clock on the wall.</summary>
    internal static double ThreadSeconds()
    {
        TimeSpec now = default;
        return GetTime(ThreadClock, ref now) == 0 ? now.Seconds + (now.Nanoseconds / 1e9) : throw new InvalidOperationException("clock_gettime failed");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, ref TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
