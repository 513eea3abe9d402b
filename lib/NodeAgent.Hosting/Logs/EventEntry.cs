using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>Everything one line is made of.</summary>
internal readonly ref struct EventEntry
{
    public required DateTimeOffset Time { get; init; }

    public required LogLevel Level { get; init; }

    public required EventId Event { get; init; }

    /// <summary>The logger's category, null for our own: there the event's name says it better.</summary>
    public string? Source { get; init; }

    public IReadOnlyList<KeyValuePair<string, object?>>? Parameters { get; init; }

    /// <summary>The finished message; null when the parameters hold a template that <see cref="MessageTemplate"/> can fill.</summary>
    public string? Message { get; init; }

    public Exception? Exception { get; init; }

    /// <summary>Stack traces only help whoever asked for debug lines; everyone else reads the error's text.</summary>
    public bool WithStack { get; init; }
}
