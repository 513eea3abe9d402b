namespace NodeAgent.Journal;

/// <summary>Why a journal did not open.</summary>
public enum OpenFailure
{
    /// <summary>Another process has it; <see cref="OpenError.OwnerPid"/>.</summary>
    Locked = 0,

    /// <summary>The directory holds another journal's segments.</summary>
    Foreign = 1,

    /// <summary>A later version wrote here.</summary>
    NewerVersion = 2,

    /// <summary>The disk refused a call that opening cannot do without. Worth trying again later.</summary>
    Disk = 3,

    /// <summary>This machine's calls hide a failing fsync; nothing written here could be called durable.</summary>
    SyncHidden = 4,
}

/// <summary>Why a journal did not open, with what an operator needs to know.</summary>
/// <param name="Failure">The reason by kind.</param>
/// <param name="Message">The reason in a sentence.</param>
/// <param name="Cause">The call that failed, if one did.</param>
/// <param name="OwnerPid">The process that holds the lock, if it said so.</param>
public sealed record OpenError(OpenFailure Failure, string Message, JournalError? Cause = null, int? OwnerPid = null)
{
    public override string ToString() => Message;
}
