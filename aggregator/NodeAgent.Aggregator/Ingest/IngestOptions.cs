using NodeAgent.Journal;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>How ingest is kept and bounded.</summary>
internal sealed record IngestOptions
{
    /// <summary>The folder for what must survive a restart: <c>wal/</c>, <c>quarantine/</c>, <c>events/</c>.</summary>
    internal required string Directory { get; init; }

    /// <summary>Shown in the welcome.</summary>
    internal string Version { get; init; } = "0.0.0";

    /// <summary>Samples older than this are refused; the log lets go of what is older.</summary>
    internal long RetentionMs { get; init; } = 6 * 3_600_000L;

    /// <summary>Records further ahead of the aggregator's clock are refused, unless monotonic time says what their time is.</summary>
    internal long MaxAheadMs { get; init; } = 10 * 60_000;

    /// <summary>The log's bytes on disk. The oldest records go first: after a restart the memory store then begins later.</summary>
    internal long WalMaxBytes { get; init; } = 4L << 30;

    /// <summary>Up to this size the log waits for who reads it beside the store (a sink), beyond it they lose what goes.</summary>
    internal long WalReaderBytes { get; init; } = 2L << 30;

    /// <summary>Size of one file of the log; room is freed in this unit.</summary>
    internal long WalSegmentBytes { get; init; } = 64L << 20;

    /// <summary>Records that wait for a disk that fails; when they are full, streams are ended.</summary>
    internal long WalPendingBytes { get; init; } = 64L << 20;

    /// <summary>
    /// A node's state and the schemas of its streams are written again after so many bytes of log, so that older files can go. A
    /// 400-series node's state is about 40 KiB: a thousand of them in every 256 MiB are a sixth of the log.
    /// </summary>
    internal long RelogBytes { get; init; } = 256L << 20;

    /// <summary>Journal of quarantined records, in bytes; the oldest go.</summary>
    internal long QuarantineMaxBytes { get; init; } = 64L << 20;

    /// <summary>Journal of events, in bytes; the oldest go.</summary>
    internal long EventsMaxBytes { get; init; } = 256L << 20;

    /// <summary>Threads that read frames back at start beside the one that reads the log; 0: that one does it all.</summary>
    internal int ReplayThreads { get; init; } = Environment.ProcessorCount;

    /// <summary>How long a failing disk is left alone; also the least that agents are asked to wait.</summary>
    internal TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Records a second that one agent may send for long. At 1 Hz it makes one; a backlog of hours comes as fast as both sides can, so the
    /// limit is there against a runaway, not to pace.
    /// </summary>
    internal double RecordsPerSecond { get; init; } = 2_000;

    /// <summary>Bytes a second that one agent may send for long. A 400-series node makes about 500.</summary>
    internal double BytesPerSecond { get; init; } = 8 << 20;

    /// <summary>Reserve of both rates, in seconds of them: half an hour's backlog of a 1 Hz agent at once.</summary>
    internal double BurstSeconds { get; init; } = 10;

    /// <summary>The largest message that the log takes.</summary>
    internal int MaxMessageBytes => (int)Math.Min(Math.Min(WalSegmentBytes / 2, WalPendingBytes / 2), 12 << 20);

    /// <summary>Commits happen when the owner says so; the log itself starts none.</summary>
    internal JournalOptions WalJournal => new()
    {
        Directory = Path.Combine(Directory, "wal"),
        SegmentBytes = WalSegmentBytes,
        MaxRecordBytes = (int)Math.Min(16 << 20, WalPendingBytes),
        MaxPendingBytes = WalPendingBytes,
        Commit = NodeAgent.Journal.Writing.CommitPolicy.None,
        RetryDelay = RetryDelay,
    };

    internal JournalOptions QuarantineJournal => SmallJournal("quarantine", QuarantineMaxBytes);

    internal JournalOptions EventJournal => SmallJournal("events", EventsMaxBytes);

    // Damage to these costs a look back, not an acknowledged sample: going on is better than standing still.
    private JournalOptions SmallJournal(string name, long maxBytes) => new()
    {
        Directory = Path.Combine(Directory, name),
        SegmentBytes = Math.Clamp(maxBytes / 16 / 65_536 * 65_536, 131_072, 16 << 20),
        MaxBytes = Math.Max(maxBytes, 4 * 131_072),
        MaxPendingBytes = 4 << 20,
        Commit = NodeAgent.Journal.Writing.CommitPolicy.None,
        RetryDelay = RetryDelay,
        Foreign = ForeignSegments.SetAside,
    };
}
