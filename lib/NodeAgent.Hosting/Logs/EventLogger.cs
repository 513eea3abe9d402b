using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>The face of one category: decides the level, hands everything else to the log.</summary>
internal sealed class EventLogger(EventLog log, string category, LogLevel? categoryLevel) : ILogger
{
    private readonly string? _source = category.StartsWith("NodeAgent.", StringComparison.Ordinal) ? null : category;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel, categoryLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            log.Write(logLevel, eventId, _source, state, exception, formatter);
        }
    }
}
