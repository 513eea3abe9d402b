using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>
/// One line an event, for an SRE who tails it and a shipper that parses it. Give it to whatever wants an
/// <see cref="ILoggerFactory"/> or an <see cref="ILoggerProvider"/>; it is both, and owns its output until disposed.
/// Logging never throws, never waits for the reader of the output, and counts what it could not write.
/// Scopes are not written: events carry their own parameters.
/// </summary>
public sealed class EventLog : ILoggerFactory, ILoggerProvider
{
    private readonly EventLogOptions _options;
    private readonly LineFormat _format;
    private readonly LineWriter _writer;
    private readonly TimeProvider _time;
    private readonly ILogger _own;
    private LineBuffer? _idle = new(); // taken and put back by exchange; who finds none makes one
    private volatile LogLevel _minimumLevel;
    private volatile Dictionary<string, LogLevel> _categoryLevels; // replaced as a whole, never changed
    private long _unprintableEvents;

    /// <param name="options">Read once; only the levels can change later, through <see cref="SetLevels"/>.</param>
    /// <param name="time">Source of each line's time.</param>
    /// <param name="output">Where the lines go; left open on disposal.</param>
    public EventLog(EventLogOptions options, TimeProvider time, Stream output)
    {
        _options = options;
        _format = LineFormat.For(options.Format);
        _time = time;
        _minimumLevel = options.MinimumLevel;
        _categoryLevels = new Dictionary<string, LogLevel>(options.CategoryLevels, StringComparer.Ordinal);
        _writer = new LineWriter(output, options.MaxPendingBytes, options.FlushTimeout);
        _own = CreateLogger("NodeAgent.Hosting.EventLog");
    }

    /// <summary>Lowest level that is written, for categories without a level of their own. May change while running.</summary>
    public LogLevel MinimumLevel
    {
        get => _minimumLevel;
        set => _minimumLevel = value;
    }

    /// <summary>Lines that reached the output.</summary>
    public long WrittenLines => _writer.WrittenLines;

    /// <summary>Lines lost: no room because the reader is too slow, a failed write, or after disposal.</summary>
    public long DroppedLines => _writer.DroppedLines;

    /// <summary>Events whose parameters or message threw while being turned into text; a line of their own stands in for each.</summary>
    public long UnprintableEvents => Interlocked.Read(ref _unprintableEvents);

    /// <summary>The usual log of a service: standard error, with journal priorities when the journal reads it.</summary>
    /// <param name="journalStream">The value of <c>JOURNAL_STREAM</c>, null when unset.</param>
    public static EventLog ToStandardError(EventLogOptions options, TimeProvider time, string? journalStream)
    {
        options.JournalPrefix |= JournalStream.IsConnected(journalStream, JournalStream.StandardError);
        return new EventLog(options, time, Console.OpenStandardError());
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new EventLogger(this, categoryName);

    /// <summary>Changes what is written from now on, also for loggers that exist.</summary>
    public void SetLevels(LogLevel minimum, IEnumerable<KeyValuePair<string, LogLevel>> categories)
    {
        _categoryLevels = new Dictionary<string, LogLevel>(categories, StringComparer.Ordinal);
        _minimumLevel = minimum;
    }

    /// <summary>Not supported: this log is the only place lines go.</summary>
    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("The event log is the only place lines go; give other sinks their own factory.");

    /// <summary>Waits until the output took every line so far; false if it did not within <paramref name="timeout"/>.</summary>
    public bool Flush(TimeSpan timeout) => _writer.Flush(timeout);

    /// <summary>Flushes within the configured time and takes no more lines.</summary>
    public void Dispose() => _writer.Dispose();

    internal bool IsCurrent(CategoryLevel level) => ReferenceEquals(level.Source, _categoryLevels);

    internal bool IsEnabled(LogLevel level, LogLevel? categoryLevel) =>
        level != LogLevel.None && level >= (categoryLevel ?? _minimumLevel);

    /// <summary>Not generic, so that only the few lines in <see cref="EventLogger"/> exist once for each event's type of state.</summary>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "A parameter's own ToString may throw anything, and a log line must never take its caller down.")]
    internal void Write(LogLevel level, EventId id, string? source, IReadOnlyList<KeyValuePair<string, object?>>? parameters, string? message,
        Exception? exception)
    {
        LineBuffer line = Interlocked.Exchange(ref _idle, null) ?? new LineBuffer();
        try
        {
            Fill(line, new EventEntry
            {
                Time = _time.GetUtcNow(),
                Level = level,
                Event = id,
                Source = source,
                Parameters = parameters,
                Message = message,
                Exception = exception,
                WithStack = _minimumLevel <= LogLevel.Debug,
            });
        }
        catch (Exception unprintable)
        {
            FillStandIn(line, level, id, unprintable);
        }

        Queue(line);
    }

    /// <summary>As <see cref="Write"/>, for an event whose formatter threw.</summary>
    internal void WriteUnprintable(LogLevel level, EventId id, Exception unprintable)
    {
        LineBuffer line = Interlocked.Exchange(ref _idle, null) ?? new LineBuffer();
        FillStandIn(line, level, id, unprintable);
        Queue(line);
    }

    private void Queue(LineBuffer line)
    {
        bool queued = _writer.TryAppend(line.Written);
        line.Clear();
        _idle = line;
        if (queued)
        {
            ReportDrops();
        }
    }

    private void Fill(LineBuffer line, in EventEntry entry)
    {
        if (_options.JournalPrefix)
        {
            line.Append(JournalStream.Prefix(entry.Level));
        }

        _format.Write(line, entry);
    }

    private void FillStandIn(LineBuffer line, LogLevel level, EventId id, Exception unprintable)
    {
        Interlocked.Increment(ref _unprintableEvents);
        line.Clear();
        Fill(line, new EventEntry
        {
            Time = _time.GetUtcNow(),
            Level = level,
            Event = id,
            Message = $"this event could not be turned into text ({unprintable.GetType().Name})",
        });
    }

    private void ReportDrops()
    {
        long drops = _writer.TakeUnreportedDrops();
        if (drops > 0)
        {
            _own.LogLinesDropped(drops);
        }
    }

    internal CategoryLevel LevelOf(string category)
    {
        Dictionary<string, LogLevel> levels = _categoryLevels;
        LogLevel? level = null;
        int longest = -1;
        foreach ((string prefix, LogLevel candidate) in levels)
        {
            if (prefix.Length > longest && category.StartsWith(prefix, StringComparison.Ordinal))
            {
                (level, longest) = (candidate, prefix.Length);
            }
        }

        return new CategoryLevel(levels, level);
    }
}
