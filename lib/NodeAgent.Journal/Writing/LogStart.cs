namespace NodeAgent.Journal.Writing;

/// <summary>Where a journal goes on after it was opened.</summary>
internal readonly record struct LogStart(Guid JournalId, ulong NextSegmentNumber, ulong NextId, ulong Floor);
