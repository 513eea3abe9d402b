namespace NodeAgent.Journal;

/// <summary>How a commit ended.</summary>
public enum CommitOutcome
{
    /// <summary>All that had been appended when it was called is where it should be.</summary>
    Done = 0,

    /// <summary>The disk fails, now or so recently that it was not asked again; see <see cref="JournalStatus.Error"/>.</summary>
    Degraded = 1,

    Closed = 2,
}
