namespace NodeAgent.Tsdb;

/// <summary>What became of a row. Every outcome but <see cref="Appended"/> has its counter in <see cref="StoreStats"/>.</summary>
public enum AppendResult
{
    /// <summary>Newer than every row before it: the normal case.</summary>
    Appended = 0,

    /// <summary>A row of the same time is in the head: its values were replaced by those present in this one.</summary>
    Duplicate = 1,

    /// <summary>Older than the newest row, sorted into the head.</summary>
    OutOfOrder = 2,

    /// <summary>Older than the head: kept aside and merged when read.</summary>
    Late = 3,

    /// <summary>Not stored: older than retention.</summary>
    TooOld = 4,

    /// <summary>Not stored: further in the future than <see cref="MemoryStoreOptions.MaxAheadMs"/>.</summary>
    TooNew = 5,

    /// <summary>Not stored: the schema was silent for longer than retention and is forgotten. Register it again.</summary>
    Expired = 6,
}
