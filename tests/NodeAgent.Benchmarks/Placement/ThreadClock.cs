using System.Runtime.InteropServices;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// CPU time of this thread, for latencies on a machine that others use too: a decision that is descheduled for 20 ms took no longer to
/// make. Linux only; elsewhere the reading is NaN.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID, time.h

    /// <summary>Microseconds of CPU time so far.</summary>
    internal static double Micros =>
        OperatingSystem.IsLinux() && ClockGetTime(ThreadCpuTime, out Timespec time) == 0 ? (time.Seconds * 1e6) + (time.Nanoseconds / 1e3) : double.NaN;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
