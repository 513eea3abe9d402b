namespace NodeAgent.Journal.Writing;

/// <summary>The growing numbers behind <see cref="JournalCounters"/>. Each has one lock that guards its writes; reads may be a moment old.</summary>
internal sealed class CounterSet
{
    // Under the append lock.
    public long AppendedRecords;
    public long AppendedBytes;
    public long RefusedRecords;

    // Under the commit lock.
    public long Syncs;
    public long SyncErrors;
    public long WriteErrors;
    public long TidyErrors;
    public long AbandonedSegments;
    public long RewrittenRecords;
    public long Degradations;
    public long Recoveries;
    public long DroppedRecords;
    public long DeletedSegments;
    public long VanishedRecords;

    public JournalCounters Snapshot() => new()
    {
        AppendedRecords = Volatile.Read(ref AppendedRecords),
        AppendedBytes = Volatile.Read(ref AppendedBytes),
        RefusedRecords = Volatile.Read(ref RefusedRecords),
        Syncs = Volatile.Read(ref Syncs),
        SyncErrors = Volatile.Read(ref SyncErrors),
        WriteErrors = Volatile.Read(ref WriteErrors),
        TidyErrors = Volatile.Read(ref TidyErrors),
        AbandonedSegments = Volatile.Read(ref AbandonedSegments),
        RewrittenRecords = Volatile.Read(ref RewrittenRecords),
        Degradations = Volatile.Read(ref Degradations),
        Recoveries = Volatile.Read(ref Recoveries),
        DroppedRecords = Volatile.Read(ref DroppedRecords),
        DeletedSegments = Volatile.Read(ref DeletedSegments),
        VanishedRecords = Volatile.Read(ref VanishedRecords),
    };
}
