using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>The spelling of levels, the same in lines, settings and pages, so that what is read can be written.</summary>
public static class LogLevelNames
{
    /// <summary>All, lowest first; <c>none</c> is a threshold only.</summary>
    public static IReadOnlyList<KeyValuePair<string, LogLevel>> All { get; } =
    [
        new("trace", LogLevel.Trace), new("debug", LogLevel.Debug), new("info", LogLevel.Information), new("warn", LogLevel.Warning),
        new("error", LogLevel.Error), new("critical", LogLevel.Critical), new("none", LogLevel.None),
    ];

    /// <summary>The name of a level.</summary>
    public static string Of(LogLevel level) => All[(int)level].Key;
}
