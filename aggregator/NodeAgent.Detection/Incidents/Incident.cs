namespace NodeAgent.Detection.Incidents;

/// <summary>Where an incident is in its life.</summary>
public enum IncidentState
{
    /// <summary>Something is wrong and nobody has said that they know.</summary>
    Open = 0,

    /// <summary>Somebody knows.</summary>
    Acknowledged = 1,

    /// <summary>A silence covers it; it lives on, unheard.</summary>
    Silenced = 2,

    /// <summary>Over, for as long as the hysteresis asks.</summary>
    Resolved = 3,
}

/// <summary>A likely cause with its evidence.</summary>
/// <param name="Cause">The finding that would explain the others.</param>
/// <param name="Share">Of the belief in all candidates; they sum to 1.</param>
/// <param name="Explains">How many of the incident's other findings it explains, directly or by way of others.</param>
public readonly record struct LikelyCause(Finding Cause, double Share, int Explains);

/// <summary>What belongs together, with a life. Changed only by <see cref="IncidentBook"/>.</summary>
public sealed class Incident
{
    private const int MostFindings = 64; // later ones are counted, and only kept where they begin or end something

    private readonly List<Finding> _findings = [];
    private readonly HashSet<(string Cause, Subject Subject)> _active = [];

    internal Incident(long id, Finding first)
    {
        (Id, OpenedUnixMs, LastUnixMs) = (id, first.UnixMs, first.UnixMs);
    }

    internal Incident(IncidentSnapshot kept, ITopology topology)
    {
        (Id, OpenedUnixMs, LastUnixMs, State) = (kept.Id, kept.OpenedUnixMs, kept.LastUnixMs, kept.State);
        (QuietSinceUnixMs, ResolvedUnixMs, AcknowledgedBy, Flaps, Joined) = (kept.QuietSinceUnixMs, kept.ResolvedUnixMs, kept.AcknowledgedBy, kept.Flaps, kept.Joined);
        _findings.AddRange(kept.Findings);
        _active.UnionWith(kept.Active.Select(key => (key.Cause, key.Subject)));
        Causes = CauseRanking.Rank(_findings, topology);
    }

    /// <summary>Rises; never used twice.</summary>
    public long Id { get; }

    /// <summary>Where it is in its life.</summary>
    public IncidentState State { get; internal set; }

    /// <summary>When it was opened.</summary>
    public long OpenedUnixMs { get; }

    /// <summary>When something was last heard of it.</summary>
    public long LastUnixMs { get; private set; }

    /// <summary>When the last of its findings was over; 0 while one holds.</summary>
    public long QuietSinceUnixMs { get; internal set; }

    /// <summary>When it was resolved; 0: it is not.</summary>
    public long ResolvedUnixMs { get; internal set; }

    /// <summary>Who acknowledged it; "" for nobody.</summary>
    public string AcknowledgedBy { get; internal set; } = "";

    /// <summary>How often it came back after it was quiet.</summary>
    public int Flaps { get; internal set; }

    /// <summary>Findings that joined it, those no longer kept included.</summary>
    public int Joined { get; private set; }

    /// <summary>The findings, as they came.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Does any of its findings still hold?</summary>
    public bool Holds => _active.Count > 0;

    /// <summary>The nodes it is about.</summary>
    public IEnumerable<string> Nodes => _findings.Select(finding => finding.Subject.Node).Distinct(StringComparer.Ordinal);

    /// <summary>Causes that would explain it, most likely first.</summary>
    public IReadOnlyList<LikelyCause> Causes { get; private set; } = [];

    internal void Join(Finding finding, ITopology topology)
    {
        LastUnixMs = Math.Max(LastUnixMs, finding.UnixMs);
        Joined++;
        (string, Subject) key = (finding.Cause, finding.Subject);
        if (finding.Clears)
        {
            _active.Remove(key);
            return;
        }

        bool known = !_active.Add(key) || _findings.Exists(other => other.Cause == finding.Cause && other.Subject == finding.Subject);
        if (!known && _findings.Count < MostFindings)
        {
            _findings.Add(finding);
            Causes = CauseRanking.Rank(_findings, topology);
        }
    }

    internal void Absorb(Incident other, ITopology topology)
    {
        foreach (Finding finding in other._findings)
        {
            if (_findings.Count < MostFindings && !_findings.Exists(own => own.Cause == finding.Cause && own.Subject == finding.Subject))
            {
                _findings.Add(finding);
            }
        }

        _active.UnionWith(other._active);
        Joined += other.Joined;
        LastUnixMs = Math.Max(LastUnixMs, other.LastUnixMs);
        Causes = CauseRanking.Rank(_findings, topology);
    }

    /// <summary>Does this one of its findings still hold?</summary>
    public bool IsActive(Finding finding) => _active.Contains((finding.Cause, finding.Subject));

    /// <summary>What holds, those included that were not kept as findings.</summary>
    public IReadOnlyList<ActiveFinding> Active => [.. _active.Select(key => new ActiveFinding(key.Cause, key.Subject))];

    /// <summary>All there is to it, for a journal.</summary>
    public IncidentSnapshot Snapshot() => new(
        Id, State, OpenedUnixMs, LastUnixMs, QuietSinceUnixMs, ResolvedUnixMs, AcknowledgedBy, Flaps, Joined, [.. _findings], Active);

    internal bool Has(Finding finding) => _active.Contains((finding.Cause, finding.Subject));

    // An event (an XID) has no end of its own: it stops counting as holding once it is told.
    internal bool Forget(Func<Finding, bool> momentary) =>
        _active.RemoveWhere(key => _findings.Exists(finding => finding.Cause == key.Cause && finding.Subject == key.Subject && momentary(finding))) > 0;
}
