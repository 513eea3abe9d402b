using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Agent.Host;

/// <summary>What differs between the systems the agent runs on, beside the samplers themselves.</summary>
/// <param name="Clock">Clocks of the tick; the monotonic one also counts while the host sleeps.</param>
/// <param name="BootId">"": the system has none.</param>
/// <param name="ReadInventory">What the host is made of, now.</param>
/// <param name="EventSources">Drained once a tick.</param>
internal sealed record HostPlatform(TimeProvider Clock, string BootId, Func<HostInventory> ReadInventory, IHostEventSource[] EventSources)
{
    /// <summary>That of this host. On Windows nothing of Linux is touched: a call into libc would find no library.</summary>
    /// <param name="roots">Where its files are.</param>
    /// <param name="kernelLog">The device.</param>
    /// <param name="cursorOf">How far the kernel log of a boot was read by an earlier life.</param>
    /// <param name="log">Where it says what it cannot read.</param>
    internal static HostPlatform Open(HostRoots roots, string kernelLog, Func<string, KernelLogCursor?> cursorOf, ILogger log) =>
        OperatingSystem.IsWindows() ? OpenWindows() : OpenLinux(roots, kernelLog, cursorOf, log);

    // TimeProvider.System counts by QueryPerformanceCounter there, which is documented to include sleep.
    [SupportedOSPlatform("windows")]
    private static HostPlatform OpenWindows() =>
        new(TimeProvider.System, BootId: "", new WindowsInventoryReader(TimeProvider.System).Read, EventSources: []);

    private static HostPlatform OpenLinux(HostRoots roots, string kernelLogPath, Func<string, KernelLogCursor?> cursorOf, ILogger log)
    {
        string bootId = Sampling.Clock.BootId.TryRead(roots) ?? "";
        List<IHostEventSource> sources = [new LinkStateSource(roots, bootId)];
        if (KernelLogSource.TryOpen(bootId, cursorOf(bootId), kernelLogPath) is { } kernelLog)
        {
            sources.Add(kernelLog);
        }
        else
        {
            log.KernelLogUnreadable();
        }

        return new HostPlatform(new BootTimeProvider(), bootId, new InventoryReader(roots).Read, [.. sources]);
    }
}
