using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Host;

/// <summary>Events of the agent as a program (1200 to 1249) and of its samplers (2000 to 2049).</summary>
internal static partial class AgentServiceLog
{
    [LoggerMessage(EventId = 1200, EventName = "AgentStarting", Level = LogLevel.Information,
        Message = "agent {Version} starts: aggregator {Aggregator}, {Samplers} samplers, spool {SpoolBytes} bytes, boot {BootId}")]
    public static partial void Starting(this ILogger logger, string version, string aggregator, int samplers, long spoolBytes, string bootId);

    [LoggerMessage(EventId = 1201, EventName = "AgentStopped", Level = LogLevel.Information,
        Message = "agent stopped after {Ticks} ticks; {Records} records were not acknowledged")]
    public static partial void Stopped(this ILogger logger, long ticks, ulong records);

    [LoggerMessage(EventId = 1202, EventName = "AgentCertificateUnusable", Level = LogLevel.Error, Message = "this host has no identity that can be used: {Reason}")]
    [EventHelp(
        Meaning = "The agent did not start.",
        Cause = "It was never enrolled, or a file is missing, not readable by this user, or not a matching PEM certificate and key.",
        Action = "`nodectl token create NAME`, then `nodeagent enrol` on this host, or identity.token_file; docs/runbooks/identity.md.")]
    public static partial void CertificateUnusable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 1203, EventName = "SpoolInUse", Level = LogLevel.Error, Message = "the spool is in use: {Reason}")]
    [EventHelp(
        Meaning = "The agent did not start (exit code 4).",
        Cause = "Another agent runs on this host with the same spool.directory.",
        Action = "Stop the other one, or give this one a spool.directory of its own.")]
    public static partial void SpoolInUse(this ILogger logger, string reason);

    [LoggerMessage(EventId = 2001, EventName = "SamplerFailed", Level = LogLevel.Warning,
        Message = "sampler {Sampler} went from {From} to {To}: {Reason}")]
    [EventHelp(
        Meaning = "This sampler's values are missing or partial; the others go on.",
        Cause = "The kernel refused a read (a device went away, a permission is missing), or its text is not of a known form.",
        Action = "Look at the reason; nodeagent_sampler_status shows when it recovers. If the form is unknown, report the file's content.")]
    public static partial void SamplerFailed(this ILogger logger, string sampler, string from, string to, string reason);

    [LoggerMessage(EventId = 2002, EventName = "SamplerRecovered", Level = LogLevel.Information,
        Message = "sampler {Sampler} is back to {To} after {Calls} calls in {From}")]
    public static partial void SamplerRecovered(this ILogger logger, string sampler, string to, long calls, string from);

    [LoggerMessage(EventId = 2003, EventName = "TickLost", Level = LogLevel.Error, Message = "a tick could not be spooled and is lost")]
    [EventHelp(
        Meaning = "One tick's values are missing; nodeagent_tick_sink_failures_total counts them. Sampling goes on.",
        Cause = "A fault of the agent, named by error_type.",
        Action = "Report the line with log.level=debug, which adds the stack.")]
    public static partial void TickLost(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2004, EventName = "KernelLogUnreadable", Level = LogLevel.Warning,
        Message = "the kernel log cannot be read; OOM kills, hardware errors and XIDs will not be reported as events")]
    [EventHelp(
        Meaning = "Samples are complete; events from the kernel log are missing.",
        Cause = "/dev/kmsg does not exist (a container) or may not be read (kernel.dmesg_restrict without CAP_SYSLOG).",
        Action = "Let systemd open it (nodeagent.service.d/20-kernel-log.conf of the packages), or mount /dev/kmsg into the container.")]
    public static partial void KernelLogUnreadable(this ILogger logger);

    [LoggerMessage(EventId = 1060, EventName = "MetricsListening", Level = LogLevel.Information, Message = "/metrics is answered on {Address}")]
    public static partial void MetricsListening(this ILogger logger, string address);

    [LoggerMessage(EventId = 1061, EventName = "MetricsAddressUnusable", Level = LogLevel.Warning, Message = "/metrics cannot be answered on {Address}: {Problem}")]
    [EventHelp(
        Meaning = "Nobody can scrape this host. What goes to the aggregator is not affected.",
        Cause = "Another program, often node_exporter, has the address, or it is not this machine's.",
        Action = "Give metrics.listen a free loopback address, and restart.")]
    public static partial void MetricsAddressUnusable(this ILogger logger, string address, string problem);
}
