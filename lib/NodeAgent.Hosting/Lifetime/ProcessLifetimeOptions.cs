namespace NodeAgent.Hosting.Lifetime;

/// <summary>How a process stops.</summary>
public sealed class ProcessLifetimeOptions
{
    /// <summary>
    /// How long an orderly stop may take before the process ends itself. Default 20 s: below systemd's TimeoutStopSec (90 s) and
    /// Kubernetes' grace period (30 s), so that we say why instead of being killed without a word.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Told when stopping begins; null for none.</summary>
    public ServiceNotifier? Notifier { get; init; }

    /// <summary>Called before the process ends at once, so that its last lines are seen; give it the log's Flush.</summary>
    public Action FlushLog { get; init; } = static () => { };

    /// <summary>Ends the process without running anything else of it. Default <see cref="ProcessExit.Now"/>; tests replace it.</summary>
    public Action<int> ExitNow { get; init; } = ProcessExit.Now;
}
