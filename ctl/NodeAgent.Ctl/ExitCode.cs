namespace NodeAgent.Ctl;

/// <summary>What the process ends with. Scripts depend on the numbers: they never change (docs/nodectl.md).</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>The command ran and failed; for <c>doctor</c>: a check failed.</summary>
    Failure = 1,

    /// <summary>Unknown command or option, a value that cannot be read, an invalid expression or configuration.</summary>
    Usage = 2,

    /// <summary>No connection to the aggregator, or it is stopping.</summary>
    Unavailable = 3,

    /// <summary>The node asked for is not known.</summary>
    NotFound = 4,

    /// <summary>No identity, one that is not accepted, or one without the needed role.</summary>
    Denied = 5,

    /// <summary>No answer within <c>--timeout</c>.</summary>
    Deadline = 6,

    /// <summary>Ctrl-C or SIGTERM, as shells count it (128 + SIGINT).</summary>
    Interrupted = 130,
}
