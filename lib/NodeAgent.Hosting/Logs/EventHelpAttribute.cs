namespace NodeAgent.Hosting.Logs;

/// <summary>
/// What a Warning or Error event tells the person who reads it at night; goes on the [LoggerMessage] method, and from there into
/// docs/events.md. Every Warning and Error has one, checked by a test. Not in the published programs: the trimmer removes it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EventHelpAttribute : Attribute
{
    /// <summary>What is the case now, and what still works.</summary>
    public required string Meaning { get; init; }

    /// <summary>The likely cause, most frequent first.</summary>
    public required string Cause { get; init; }

    /// <summary>What to do; a command where there is one.</summary>
    public required string Action { get; init; }
}
