using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using NodeAgent.Commands.Envelope;

namespace NodeAgent.Actuation.Host;

/// <summary>What a Linux host knows of itself while it judges a command.</summary>
/// <param name="agent">From the agent's certificate.</param>
/// <param name="fleet">From the agent's enrolment.</param>
/// <param name="paths">Where /proc is.</param>
[SupportedOSPlatform("linux")]
public sealed partial class LinuxAgentFacts(Guid agent, Guid fleet, HostPaths paths) : IAgentFacts
{
    private const int TimexBytes = 208; // struct timex of 64-bit Linux (include/uapi/linux/timex.h)
    private const int ClockUnsynchronised = 5; // TIME_ERROR

    public Guid Agent => agent;

    public Guid Fleet => fleet;

    public string BootId { get; } = KernelFile.TryRead(Path.Combine(paths.Proc, "sys/kernel/random/boot_id")) ?? "";

    /// <summary>
    /// adjtimex(2) reads only with modes 0, and its result is the clock's state. The kernel forgets a synchronisation by itself: without a
    /// time service its error estimate grows until this says no.
    /// </summary>
    public unsafe bool IsClockSynchronised
    {
        get
        {
            byte* timex = stackalloc byte[TimexBytes];
            new Span<byte>(timex, TimexBytes).Clear();
            int state = Adjtimex(timex);
            return state is >= 0 and not ClockUnsynchronised;
        }
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static unsafe partial int Adjtimex(byte* timex);
}
