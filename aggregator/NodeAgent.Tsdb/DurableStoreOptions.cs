namespace NodeAgent.Tsdb;

/// <summary>How a <see cref="DurableStore"/> keeps its data. Immutable.</summary>
public sealed record DurableStoreOptions
{
    /// <summary>The store's directory; made when it is missing, mode 0700.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Rows that a schema collects before they are compressed; 8 to 1,024. More rows compress better and cost 8 bytes each per series:
    /// 128 rows are 1 KiB of a series' 2 KiB budget.
    /// </summary>
    public int HeadRows { get; init; } = 128;

    /// <summary>
    /// Distance of two segments. Default 6.4 min (384 s): it bounds what a restart has to replay, and what compressed blocks take in memory
    /// (0.5 KiB a series at 1 Hz, which keeps a series within 2 KiB); longer makes fewer and larger files.
    /// </summary>
    public long FlushIntervalMs { get; init; } = 384_000;

    /// <summary>A segment is written sooner when closed blocks take this much memory. Default 512 MiB.</summary>
    public long MaxBlockBytes { get; init; } = 512L << 20;

    /// <summary>How long samples as they came are kept. Default 7 days.</summary>
    public long RawRetentionMs { get; init; } = 7L * 86_400_000;

    /// <summary>How long one row a minute is kept. Default 90 days.</summary>
    public long MinuteRetentionMs { get; init; } = 90L * 86_400_000;

    /// <summary>How long one row an hour is kept. Default 2 years.</summary>
    public long HourRetentionMs { get; init; } = 730L * 86_400_000;

    /// <summary>
    /// Rows of this age are refused. Default 4 days: an agent replays at most 72 h. Must be well inside <see cref="RawRetentionMs"/>, because
    /// tiers are made from raw samples.
    /// </summary>
    public long MaxLateMs { get; init; } = 4L * 86_400_000;

    /// <summary>As <see cref="MemoryStoreOptions.MaxAheadMs"/>.</summary>
    public long MaxAheadMs { get; init; } = 5 * 60_000;

    /// <summary>Above this the oldest segments are dropped: raw first, then minutes, then hours. Default: no limit.</summary>
    public long MaxDiskBytes { get; init; } = long.MaxValue;

    /// <summary>Below this much free room on the disk the oldest segments are dropped, as for <see cref="MaxDiskBytes"/>. Default 2 GiB.</summary>
    public long MinFreeBytes { get; init; } = 2L << 30;

    /// <summary>Asks for the free room on the store's disk; null: <see cref="MinFreeBytes"/> is not enforced. Asked about once a minute.</summary>
    public Func<long>? FreeBytes { get; init; }

    /// <summary>Pack segments of closed days with Brotli: a tenth smaller, slower to read.</summary>
    public bool PackClosedDays { get; init; } = true;

    /// <summary>
    /// Series without a live schema that stay findable as long as their samples are kept, about 400 bytes of memory each. Above this many
    /// the longest silent are forgotten, and counted: churn without end must not take memory without end. Default 2 million.
    /// </summary>
    public int MaxInactiveSeries { get; init; } = 2_000_000;

    /// <summary>
    /// Write and merge files on threads of the store. False: only <see cref="ITimeSeriesStore.Maintain"/> does, on its caller's: for
    /// simulation, where everything happens in one thread.
    /// </summary>
    public bool HasThreads { get; init; } = true;

    /// <summary>How many series a node may have. Default: <see cref="FixedSeriesQuota"/> of 20,000.</summary>
    public ISeriesQuota Quota { get; init; } = new FixedSeriesQuota(20_000);

    /// <exception cref="ArgumentException">A value is out of its bounds, named in the message.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Directory);
        Require(HeadRows is >= 8 and <= Chunks.IntegerCodec.MaxCount, $"HeadRows {HeadRows}: 8 to {Chunks.IntegerCodec.MaxCount}");
        Require(FlushIntervalMs > 0, $"FlushIntervalMs {FlushIntervalMs}: more than 0");
        Require(MaxBlockBytes > 0, $"MaxBlockBytes {MaxBlockBytes}: more than 0");
        Require(MaxLateMs > 0 && MaxAheadMs >= 0, $"MaxLateMs {MaxLateMs}, MaxAheadMs {MaxAheadMs}: not negative");
        Require(
            RawRetentionMs - MaxLateMs >= Merging.MergePlanner.DayMs,
            $"RawRetentionMs {RawRetentionMs}: at least a day more than MaxLateMs {MaxLateMs}");
        Require(MaxInactiveSeries >= 0, $"MaxInactiveSeries {MaxInactiveSeries}: not negative");
        Require(MaxDiskBytes > 0, $"MaxDiskBytes {MaxDiskBytes}: more than 0");

        static void Require(bool holds, string what)
        {
            if (!holds)
            {
                throw new ArgumentException(what + " is wanted");
            }
        }
    }
}
