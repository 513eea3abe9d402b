using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// The system's clocks with CLOCK_BOOTTIME as the monotonic one: nanoseconds since boot that also count while the machine is
/// suspended or a guest is frozen, which is what a frame's monotonic time promises.
/// </summary>
public sealed partial class BootTimeProvider : TimeProvider
{
    private const int ClockBootTime = 7; // include/uapi/linux/time.h
    private const long NanosecondsPerSecond = 1_000_000_000;

    public override long TimestampFrequency => NanosecondsPerSecond;

    /// <exception cref="PlatformNotSupportedException">The kernel has no such clock (before 2.6.39).</exception>
    public override unsafe long GetTimestamp()
    {
        TimeSpec now;
        return GetTime(ClockBootTime, &now) == 0
            ? (now.Seconds * NanosecondsPerSecond) + now.Nanoseconds
            : throw new PlatformNotSupportedException("clock_gettime(CLOCK_BOOTTIME) failed");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition] // tens of nanoseconds in the vDSO
    private static unsafe partial int GetTime(int clock, TimeSpec* now);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
