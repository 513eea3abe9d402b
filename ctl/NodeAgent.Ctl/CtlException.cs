namespace NodeAgent.Ctl;

/// <summary>
/// A failure that is told to a person: one line, <c>nodectl: what happened: why. what to do</c>, then any extra lines
/// (an expression with a caret). Everything that the world can do to us ends here; any other exception is a bug.
/// </summary>
internal sealed class CtlException(ExitCode code, string what, string why, string? remedy = null, Exception? cause = null)
    : Exception($"{what}: {why}", cause)
{
    public ExitCode Code { get; } = code;

    /// <summary>The operation that failed, lower case, without a full stop.</summary>
    public string What { get; } = what;

    /// <summary>The cause, without a full stop.</summary>
    public string Why { get; } = why;

    /// <summary>What the reader can do next, as a sentence. Null: nothing better than the cause is known.</summary>
    public string? Remedy { get; } = remedy;

    /// <summary>Lines printed below the error line as they are.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>The line without the program's name.</summary>
    public string Line
    {
        get
        {
            string cause = Why.TrimEnd('.', ' ', '\n');
            string stop = cause.EndsWith('?') ? "" : ".";
            return Remedy is null ? $"{What}: {cause}" : $"{What}: {cause}{stop} {Remedy}";
        }
    }

    public static CtlException Usage(string what, string why, string? remedy = null) => new(ExitCode.Usage, what, why, remedy);
}
