namespace NodeAgent.Detection.Incidents;

/// <summary>What happened to an incident.</summary>
public enum IncidentChangeKind
{
    /// <summary>It began.</summary>
    Opened = 0,

    /// <summary>A finding joined that is news.</summary>
    Grew = 1,

    /// <summary>Another cause leads now.</summary>
    CauseChanged = 2,

    /// <summary>Somebody knows.</summary>
    Acknowledged = 3,

    /// <summary>A silence covers it.</summary>
    Silenced = 4,

    /// <summary>It is over.</summary>
    Resolved = 5,

    /// <summary>It came back.</summary>
    Reopened = 6,

    /// <summary>It turned out to be part of another one.</summary>
    Merged = 7,

    /// <summary>Its silence ended.</summary>
    Unsilenced = 8,
}

/// <summary>
/// One change, for journal, watchers and pages alike. What the book was offered is what a journal must keep (findings and people's orders, in
/// order): the book is deterministic, so replaying them gives the same incidents and the same changes.
/// </summary>
/// <param name="UnixMs">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Incident">Which.</param>
/// <param name="Into">Of a merge: the one that lives on; else 0.</param>
/// <param name="Text">For people.</param>
public readonly record struct IncidentChange(long UnixMs, IncidentChangeKind Kind, long Incident, long Into, string Text);

/// <summary>Nothing shall be heard of what matches, for a while.</summary>
/// <param name="Node">"" for any.</param>
/// <param name="Cause">"" for any.</param>
/// <param name="UntilUnixMs">When it ends by itself; every silence does.</param>
/// <param name="Reason">Why; a silence without one is refused.</param>
/// <param name="By">Who.</param>
public sealed record Silence(string Node, string Cause, long UntilUnixMs, string Reason, string By)
{
    /// <summary>Names it when it is ended early; 0: nobody asked for one.</summary>
    public long Id { get; init; }

    /// <summary>When it was set.</summary>
    public long SetUnixMs { get; init; }

    internal bool Covers(Finding finding, long unixMs) =>
        unixMs < UntilUnixMs && (Node.Length == 0 || Node == finding.Subject.Node) && (Cause.Length == 0 || Cause == finding.Cause);
}
