namespace NodeAgent.Hosting.Lifetime;

/// <summary>
/// What a program's exit status says, the same for all of ours. Part of the interface: unit files (<c>RestartPreventExitStatus=</c>) and
/// scripts depend on it. Above 128 is 128 + signal, as the shell has it. Small numbers rather than sysexits.h, because 64 to 78 mean
/// nothing to a reader without that header, and its 69 and 75 are easily confused.
/// </summary>
public enum ExitCode
{
    /// <summary>Done, or stopped as asked.</summary>
    Ok = 0,

    /// <summary>Failed for a reason in the log; trying again may help.</summary>
    Failure = 1,

    /// <summary>Wrong arguments or configuration; trying again without a change will not help.</summary>
    Usage = 2,

    /// <summary>An address to listen on is in use or not ours.</summary>
    CannotBind = 3,

    /// <summary>The data folder cannot be written, is held by another process, or holds what this version cannot read.</summary>
    StateUnusable = 4,

    /// <summary>The other side could not be reached within the time given (tools).</summary>
    Unavailable = 5,

    /// <summary>The other side refused us, or our certificate or token is not good (tools).</summary>
    Denied = 6,

    /// <summary>What was asked for does not exist (tools).</summary>
    NotFound = 7,

    /// <summary>Asked to stop, but work did not end within the stop timeout.</summary>
    StopTimedOut = 8,
}
