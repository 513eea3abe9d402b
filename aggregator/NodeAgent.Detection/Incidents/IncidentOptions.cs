namespace NodeAgent.Detection.Incidents;

/// <summary>How incidents live.</summary>
public sealed record IncidentOptions
{
    /// <summary>How long nothing may hold before an incident is resolved.</summary>
    public TimeSpan ResolveAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A finding that comes back this soon after the resolution reopens the incident instead of opening another.</summary>
    public TimeSpan ReopenWithin { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>For how long a finding still joins an incident that it repeats or is explained by.</summary>
    public TimeSpan JoinWithin { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Below this sureness a finding joins incidents but opens none by itself.</summary>
    public double OpensAt { get; init; } = 0.9;

    /// <summary>So many unsure findings about one node within <see cref="AgreeWithin"/>, by different metrics, open one together.</summary>
    public int AgreeingMetrics { get; init; } = 4;

    /// <summary>See <see cref="AgreeingMetrics"/>.</summary>
    public TimeSpan AgreeWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an unsure finding waits for others.</summary>
    public TimeSpan WaitForCompany { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A metric odd on so many nodes of one job at once is a phase of the job, not a fault of a node.</summary>
    public int PhaseNodes { get; init; } = 3;

    /// <summary>Incidents a day, of the whole fleet, that stand on unsure findings alone.</summary>
    public int OddPerDay { get; init; } = 4;

    /// <summary>So many nodes of one domain silent or cut off together are the domain's fault.</summary>
    public int DomainNodes { get; init; } = 4;

    /// <summary>Resolved incidents kept for reopening and for people.</summary>
    public int KeptResolved { get; init; } = 4096;
}
