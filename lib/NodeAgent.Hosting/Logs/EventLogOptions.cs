using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>How the event log writes and what it leaves out.</summary>
public sealed class EventLogOptions
{
    /// <summary>Line format. Default text.</summary>
    public LogFormat Format { get; set; } = LogFormat.Text;

    /// <summary>Lowest level that is written. Default Information; <see cref="LogLevel.None"/> writes nothing.</summary>
    public LogLevel MinimumLevel { get; set; } = LogLevel.Information;

    /// <summary>
    /// Lowest level by logger category prefix; the longest prefix wins over <see cref="MinimumLevel"/>.
    /// Default: the web server's own lines from Warning up, because its information lines repeat ours.
    /// </summary>
    public IDictionary<string, LogLevel> CategoryLevels { get; } = new Dictionary<string, LogLevel>(StringComparer.Ordinal)
    {
        ["Microsoft."] = LogLevel.Warning,
        ["System."] = LogLevel.Warning,

        // A host that cannot start throws, and the program says why in one line of its own.
        ["Microsoft.Extensions.Hosting"] = LogLevel.None,
    };

    /// <summary>
    /// True puts the journal's priority (<c>&lt;6&gt;</c>) before each line, see sd-daemon(3). Set it from
    /// <see cref="JournalStream.IsConnected"/>: any other reader would show it as text.
    /// </summary>
    public bool JournalPrefix { get; set; }

    /// <summary>
    /// Bytes that may wait for a slow reader of the output; a line that finds no room is dropped and counted. Default 256 KiB:
    /// about 1,500 lines, several seconds of the worst burst we know (every sampler of a node failing at once).
    /// Two buffers of this size exist at most; they start at 4 KiB and grow only when needed.
    /// </summary>
    public int MaxPendingBytes { get; set; } = 256 * 1024;

    /// <summary>How long disposal waits for the reader to take what is pending. Default 2 s.</summary>
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
