namespace NodeAgent.Tsdb;

/// <summary>Bounds of a <see cref="MemoryStore"/>.</summary>
public sealed record MemoryStoreOptions
{
    /// <summary>
    /// Rows that a schema collects before they are compressed; 8 to 1,024. More rows compress better and cost 8 bytes each per
    /// series: 128 rows are 1 KiB of a series' 2 KiB budget.
    /// </summary>
    public int HeadRows { get; init; } = 128;

    /// <summary>Samples older than this are dropped. Default 6 h.</summary>
    public long RetentionMs { get; init; } = 6 * 3_600_000L;

    /// <summary>
    /// Above this the oldest blocks are dropped. Default 1 GiB. Heads are counted but cannot be dropped: a limit below what the
    /// heads need leaves only the heads.
    /// </summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>
    /// Rows further ahead of the aggregator's clock are refused, because one such row makes every row after it late.
    /// Default 5 min; works from the first <see cref="ITimeSeriesStore.Maintain"/> on.
    /// </summary>
    public long MaxAheadMs { get; init; } = 5 * 60_000;

    /// <summary>How many series a node may have. Default: <see cref="FixedSeriesQuota"/> of 20,000.</summary>
    public ISeriesQuota Quota { get; init; } = new FixedSeriesQuota(20_000);
}

/// <summary>Decides how many series a node may have, so that one node's label explosion never costs the others.</summary>
public interface ISeriesQuota
{
    /// <summary>Asked at each registration, under the store's registration lock: answer from memory.</summary>
    int MaxSeries(string node);
}

/// <summary>The same quota for every node.</summary>
public sealed class FixedSeriesQuota(int maxSeries) : ISeriesQuota
{
    /// <inheritdoc/>
    public int MaxSeries(string node) => maxSeries;
}
