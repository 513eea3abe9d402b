using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Hosting.Logs;

/// <summary>The section <c>log</c> of every program's configuration.</summary>
public sealed class LogSettings
{
    public LogFormat Format { get; set; } = LogFormat.Text;

    public LogLevel Level { get; set; } = LogLevel.Information;

    // The names that the lines themselves use, so that what is read can be written.
    private static KeyValuePair<string, LogLevel>[] Levels { get; } =
    [
        KeyValuePair.Create("debug", LogLevel.Debug),
        KeyValuePair.Create("info", LogLevel.Information),
        KeyValuePair.Create("warning", LogLevel.Warning),
        KeyValuePair.Create("error", LogLevel.Error),
    ];

    public static SettingCatalog<LogSettings> Settings { get; } = SettingCatalog.Define<LogSettings>(s => s
        .Choice("format", o => o.Format, (o, v) => o.Format = v, "text: key=value for people. json: one object a line for shippers.")
        .Choice("level", o => o.Level, (o, v) => o.Level = v, Levels, "Events below this level are not written."));

    /// <summary>As the event log takes it.</summary>
    public EventLogOptions ToOptions() => new() { Format = Format, MinimumLevel = Level };
}
