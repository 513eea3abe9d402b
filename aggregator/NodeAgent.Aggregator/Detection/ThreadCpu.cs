using System.Runtime.InteropServices;

namespace NodeAgent.Aggregator.Detection;

/// <summary>CPU time of the calling thread; 0 where the system does not say.</summary>
internal static partial class ThreadCpu
{
    private const int ClockThreadCpu = 3; // CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)

    internal static long Micros() =>
        OperatingSystem.IsLinux() && GetTime(ClockThreadCpu, out Timespec time) == 0 ? (time.Seconds * 1_000_000) + (time.Nanoseconds / 1000) : 0;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
