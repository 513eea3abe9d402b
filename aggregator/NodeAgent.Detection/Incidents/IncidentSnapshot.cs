namespace NodeAgent.Detection.Incidents;

/// <summary>A finding of an incident that still holds.</summary>
public readonly record struct ActiveFinding(string Cause, Subject Subject);

/// <summary>
/// An incident as plain data. A journal keeps these instead of what the book was offered: who shares a job with whom is another thing after a
/// restart, and replaying findings under another topology would join other incidents.
/// </summary>
/// <param name="Id">As <see cref="Incident.Id"/>, and so on by name.</param>
/// <param name="State">Where it is in its life.</param>
/// <param name="OpenedUnixMs">When it was opened.</param>
/// <param name="LastUnixMs">When something was last heard of it.</param>
/// <param name="QuietSinceUnixMs">When the last of its findings was over; 0 while one holds.</param>
/// <param name="ResolvedUnixMs">When it was resolved; 0: it is not.</param>
/// <param name="AcknowledgedBy">Who knows.</param>
/// <param name="Flaps">How often it came back.</param>
/// <param name="Joined">Findings that joined it.</param>
/// <param name="Findings">Those that are kept.</param>
/// <param name="Active">What holds.</param>
public sealed record IncidentSnapshot(
    long Id, IncidentState State, long OpenedUnixMs, long LastUnixMs, long QuietSinceUnixMs, long ResolvedUnixMs, string AcknowledgedBy, int Flaps, int Joined,
    IReadOnlyList<Finding> Findings, IReadOnlyList<ActiveFinding> Active);
