namespace NodeAgent.Tsdb;

/// <summary>What a store holds and what became of every row and sample it was given. Counters count since the store began.</summary>
public sealed record StoreStats
{
    /// <summary>Nodes with at least one schema.</summary>
    public int Nodes { get; init; }

    /// <summary>Schemas, dead ones that still hold samples included.</summary>
    public int Schemas { get; init; }

    /// <summary>Series in the index.</summary>
    public int Series { get; init; }

    /// <summary>Samples held: <see cref="SamplesTotal"/> less the two evicted counts.</summary>
    public long Samples => SamplesTotal - SamplesEvictedByAge - SamplesEvictedByBytes;

    /// <summary>
    /// Samples stored. One that replaces a sample of the same series and time in the head is not counted again; one that arrives
    /// late for a time in a closed block is, because both are kept until they are dropped.
    /// </summary>
    public long SamplesTotal { get; init; }

    /// <summary>Rows stored in any way.</summary>
    public long RowsTotal { get; init; }

    /// <summary>Rows by outcome, as <see cref="AppendResult"/>.</summary>
    public long RowsDuplicate { get; init; }

    public long RowsOutOfOrder { get; init; }

    public long RowsLate { get; init; }

    public long RowsTooOld { get; init; }

    public long RowsTooNew { get; init; }

    public long RowsExpired { get; init; }

    /// <summary>Samples dropped because they were older than <see cref="MemoryStoreOptions.RetentionMs"/>.</summary>
    public long SamplesEvictedByAge { get; init; }

    /// <summary>Samples dropped because the store reached <see cref="MemoryStoreOptions.MaxBytes"/>.</summary>
    public long SamplesEvictedByBytes { get; init; }

    /// <summary>Schemas refused by <see cref="ISeriesWriter.Register"/>.</summary>
    public long SchemasRefused { get; init; }

    /// <summary>Memory of heads, compressed blocks and (estimated) index.</summary>
    public long Bytes { get; init; }

    /// <summary>Of <see cref="Bytes"/>: heads.</summary>
    public long HeadBytes { get; init; }

    /// <summary>Of <see cref="Bytes"/>: compressed blocks.</summary>
    public long BlockBytes { get; init; }

    /// <summary>The limit on <see cref="Bytes"/>, or on <see cref="DiskBytes"/> where there are files; <see cref="long.MaxValue"/>: none.</summary>
    public long MaxBytes { get; init; }

    /// <summary>Time of the oldest sample held, milliseconds since 1970 UTC; 0: none.</summary>
    public long OldestUnixMs { get; init; }

    /// <summary>Bytes of all files; 0 for a store without any.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Open live subscriptions.</summary>
    public int Subscriptions { get; init; }
}
