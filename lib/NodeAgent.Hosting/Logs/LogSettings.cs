using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Hosting.Logs;

/// <summary>The section <c>log</c> of every program's configuration.</summary>
public sealed class LogSettings
{
    /// <summary>How an event becomes a line.</summary>
    public LogFormat Format { get; set; } = LogFormat.Text;

    /// <summary>Lowest level that is written.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>Lowest level by the start of a logger's category, over <see cref="Level"/>.</summary>
    public IDictionary<string, LogLevel> Levels { get; } = new Dictionary<string, LogLevel>(new EventLogOptions().CategoryLevels);

    /// <summary>Their declaration.</summary>
    public static SettingCatalog<LogSettings> Settings { get; } = SettingCatalog.Define<LogSettings>(s => s
        .Choice("format", o => o.Format, (o, v) => o.Format = v,
            "How an event becomes a line. text: time, then key=value, for people. json: one object a line with the same keys, for shippers.")
        .Choice("level", o => o.Level, (o, v) => o.Level = v, LogLevelNames.All,
            "Events below this level are not written; they are counted and measured all the same. debug adds stack traces to errors.")
        .ChoiceMap("levels", o => o.Levels, LogLevelNames.All,
            "Level for loggers whose category starts with the name; the longest name wins, also over log.level."));

    /// <summary>As the event log takes it.</summary>
    public EventLogOptions ToOptions()
    {
        EventLogOptions options = new() { Format = Format, MinimumLevel = Level };
        options.CategoryLevels.Clear();
        foreach ((string category, LogLevel level) in Levels)
        {
            options.CategoryLevels[category] = level;
        }

        return options;
    }
}
