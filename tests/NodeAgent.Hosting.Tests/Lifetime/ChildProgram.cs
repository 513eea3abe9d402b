using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Lifetime;

/// <summary>A service in small, composed as the agent and the aggregator are.</summary>
internal static partial class ChildProgram
{
    public const string Argument = "--child";

    public static int Run(string mode)
    {
        // The lifetime's clock is moved by hand, so that "a second later" costs no second; the log has the real one.
        SimulatedTime time = new();
        using EventLog log = EventLog.ToStandardError(new EventLogOptions(), TimeProvider.System, Environment.GetEnvironmentVariable("JOURNAL_STREAM"));
        using ServiceNotifier notifier = new(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        ILogger logger = log.CreateLogger("NodeAgent.Child");
        using ProcessLifetime lifetime = new(logger, time, new ProcessLifetimeOptions
        {
            Notifier = notifier,
            FlushLog = () => log.Flush(TimeSpan.FromSeconds(5)),
        });
        notifier.Ready("child is ready");
        logger.Ready();

        if (mode == "unhandled")
        {
            new Thread(() => throw new InvalidOperationException("nobody catches this")).Start();
        }

        lifetime.Stopping.WaitHandle.WaitOne();
        if (mode is "hangs" or "times-out")
        {
            time.Advance(mode == "hangs" ? TimeSpan.FromSeconds(2) : TimeSpan.FromSeconds(20));
            logger.Hanging();
            new ManualResetEvent(false).WaitOne();
        }

        return (int)ExitCode.Ok;
    }

    [LoggerMessage(EventId = 1, EventName = "Ready", Level = LogLevel.Information, Message = "ready")]
    private static partial void Ready(this ILogger logger);

    [LoggerMessage(EventId = 2, EventName = "Hanging", Level = LogLevel.Information, Message = "hanging")]
    private static partial void Hanging(this ILogger logger);
}
