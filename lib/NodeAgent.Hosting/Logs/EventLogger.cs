using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>The face of one category: decides the level, hands everything else to the log.</summary>
internal sealed class EventLogger(EventLog log, string category, LogLevel? categoryLevel) : ILogger
{
    private readonly string? _source = category.StartsWith("NodeAgent.", StringComparison.Ordinal) ? null : category;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel, categoryLevel);

    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "A formatter may throw anything, and a log line must never take its caller down.")]
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        try
        {
            var parameters = state as IReadOnlyList<KeyValuePair<string, object?>>;
            string? message = MessageTemplate.CanAppend(parameters) ? null : formatter(state, exception);
            log.Write(logLevel, eventId, _source, parameters, message, exception);
        }
        catch (Exception unprintable)
        {
            log.WriteUnprintable(logLevel, eventId, unprintable);
        }
    }
}
