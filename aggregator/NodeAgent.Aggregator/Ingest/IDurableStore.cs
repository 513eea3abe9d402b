namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// What a store that keeps samples in files of its own says to the write-ahead log, so that the log can let go of them. A store that is
/// none (the memory store) gets everything back from the log after a restart.
/// </summary>
internal interface IDurableStore
{
    /// <summary>
    /// All rows from log records up to this one are in the store's own files, durably: after a restart they are not appended again.
    /// </summary>
    ulong DurableLogId { get; }

    /// <summary>
    /// Given once, at start. The function answers with the newest log record whose rows, and those of all before it, have been appended
    /// to the store: a flush that begins after the call covers them. It takes microseconds for each node.
    /// </summary>
    void UseLog(Func<ulong> settledId);
}
