using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>The face of one category: decides the level, hands everything else to the log.</summary>
internal sealed class EventLogger(EventLog log, string category) : ILogger
{
    // Of the levels this was looked up in; both are one reference, so that no thread sees a level of other levels.
    private CategoryLevel _level = log.LevelOf(category);

    private readonly string? _source = category.StartsWith("NodeAgent.", StringComparison.Ordinal) ? null : category;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel, CurrentLevel());

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

    private LogLevel? CurrentLevel()
    {
        CategoryLevel level = _level;
        if (!log.IsCurrent(level))
        {
            _level = level = log.LevelOf(category);
        }

        return level.Level;
    }
}

/// <summary>What a category's level was in one set of levels.</summary>
/// <param name="Source">The set.</param>
/// <param name="Level">Null: the log's own.</param>
internal sealed record CategoryLevel(object Source, LogLevel? Level);
