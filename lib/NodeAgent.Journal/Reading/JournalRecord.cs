namespace NodeAgent.Journal.Reading;

/// <summary>One record as a reader hands it out; the payload is valid until the reader's next call.</summary>
public readonly ref struct JournalRecord
{
    internal JournalRecord(ulong id, byte type, ulong lostBefore, ReadOnlySpan<byte> payload)
    {
        Id = id;
        Type = type;
        LostBefore = lostBefore;
        Payload = payload;
    }

    /// <summary>Grows by one from record to record, by more only where records are lost or released.</summary>
    public ulong Id { get; }

    /// <summary>What the writer said; the journal gives it no meaning.</summary>
    public byte Type { get; }

    /// <summary>How many records between the previous one and this one are lost to damage.</summary>
    public ulong LostBefore { get; }

    public ReadOnlySpan<byte> Payload { get; }
}

/// <summary>Is shown a record while a journal is opened; see <see cref="DurableLog.TryOpen(JournalOptions, Files.IFileOps, TimeProvider, RecordFound?, out DurableLog?, out OpenError?)"/>.</summary>
public delegate void RecordFound(JournalRecord record);
