using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using NodeAgent.Commands.Envelope;

namespace NodeAgent.Actuation.Host;

/// <summary>What a Linux host knows of itself while it judges a command.</summary>
/// <param name="agent">From the agent's certificate.</param>
/// <param name="fleet">From the agent's enrolment.</param>
/// <param name="paths">Where /proc is.</param>
/// <param name="tools">For the clock, where this process may not ask the kernel itself.</param>
/// <param name="time">For deadlines.</param>
[SupportedOSPlatform("linux")]
public sealed partial class LinuxAgentFacts(Guid agent, Guid fleet, HostPaths paths, Tools tools, TimeProvider time) : IAgentFacts
{
    private const string Timedatectl = "/usr/bin/timedatectl"; // timedatectl(1): systemd's daemon makes the same call for us
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int TimexBytes = 208; // struct timex of 64-bit Linux (include/uapi/linux/timex.h)
    private const int ClockUnsynchronised = 5; // TIME_ERROR

    public Guid Agent => agent;

    public Guid Fleet => fleet;

    public string BootId { get; } = KernelFile.TryRead(Path.Combine(paths.Proc, "sys/kernel/random/boot_id")) ?? "";

    /// <summary>
    /// adjtimex(2) reads only with modes 0, and its result is the clock's state. The kernel forgets a synchronisation by itself: without a
    /// time service its error estimate grows until this says no. A sandbox such as ProtectClock= refuses even reading; then systemd is asked.
    /// </summary>
    public bool IsClockSynchronised => AskKernel() switch
    {
        ClockUnsynchronised => false,
        >= 0 => true,
        _ => AskSystemd(),
    };

    private static unsafe int AskKernel()
    {
        byte* timex = stackalloc byte[TimexBytes];
        new Span<byte>(timex, TimexBytes).Clear();
        return Adjtimex(timex);
    }

    // What cannot be asked is not known, and that counts as no.
    private bool AskSystemd()
    {
        using CancellationTokenSource deadline = new(Patience, time);
        ToolResult answer = tools.Run(Timedatectl, ["show", "--property=NTPSynchronized", "--value"], deadline.Token);
        return answer.Ok && answer.Text.Trim() == "yes";
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static unsafe partial int Adjtimex(byte* timex);
}
