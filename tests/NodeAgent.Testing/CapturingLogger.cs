using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Testing;

/// <summary>One captured event.</summary>
/// <param name="Category">The logger's category, empty for a <see cref="CapturingLogger"/> used directly.</param>
/// <param name="Level">Its level.</param>
/// <param name="Id">Id and name.</param>
/// <param name="Message">The text.</param>
/// <param name="Parameters">The parameters by their names in the source, without the format.</param>
/// <param name="Exception">The exception, if any.</param>
public sealed record CapturedEvent(string Category, LogLevel Level, EventId Id, string Message,
    IReadOnlyDictionary<string, object?> Parameters, Exception? Exception)
{
    /// <summary>The event's name, empty for one without.</summary>
    public string Name => Id.Name ?? "";

    /// <summary>One line, for failure messages.</summary>
    public override string ToString() => $"{Level} {Name}({Id.Id}) {Message}{(Exception is null ? "" : $" [{Exception.GetType().Name}: {Exception.Message}]")}";
}

/// <summary>
/// Keeps every event, at every level, from any thread; a logger, and the factory of loggers that share its events.
/// End a test with <see cref="AssertNoErrors"/>: an Error nobody expected is a failure even if the outcome looks right.
/// </summary>
public sealed class CapturingLogger : ILogger, ILoggerFactory, ILoggerProvider
{
    private readonly ConcurrentQueue<CapturedEvent> _events;
    private readonly string _category;

    /// <summary>A root with no events.</summary>
    public CapturingLogger()
        : this("", new ConcurrentQueue<CapturedEvent>())
    {
    }

    private CapturingLogger(string category, ConcurrentQueue<CapturedEvent> events)
    {
        _category = category;
        _events = events;
    }

    /// <summary>Everything so far, in order.</summary>
    public IReadOnlyList<CapturedEvent> Events => [.. _events];

    /// <summary>Those with a name.</summary>
    public IReadOnlyList<CapturedEvent> Named(string name) => [.. _events.Where(one => one.Name == name)];

    /// <summary>The only one with a name; throws with all events otherwise.</summary>
    public CapturedEvent Single(string name) =>
        Named(name) is [var one] ? one : throw new InvalidOperationException($"expected one {name}, got {Named(name).Count} in:{Listing()}");

    /// <summary>Throws when an Error or Critical was logged that <paramref name="expected"/> does not name.</summary>
    public void AssertNoErrors(params string[] expected)
    {
        if (_events.Any(one => one.Level >= LogLevel.Error && !expected.Contains(one.Name)))
        {
            throw new InvalidOperationException($"unexpected errors were logged:{Listing()}");
        }
    }

    /// <summary>Forgets everything so far.</summary>
    public void Clear() => _events.Clear();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new CapturingLogger(categoryName, _events);

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("captured events go nowhere else");

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        Dictionary<string, object?> parameters = new(StringComparer.Ordinal);
        foreach ((string name, object? value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
        {
            if (name != "{OriginalFormat}")
            {
                parameters[name] = value;
            }
        }

        _events.Enqueue(new CapturedEvent(_category, logLevel, eventId, formatter(state, exception), parameters, exception));
    }

    /// <summary>Nothing to release; the events stay.</summary>
    public void Dispose()
    {
    }

    private string Listing() => _events.IsEmpty ? " nothing" : string.Concat(_events.Select(one => $"\n  {one}"));
}
