using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;

namespace NodeAgent.Placement.Requests;

/// <summary>What each replica needs.</summary>
/// <param name="CpuMilli">Thousandths of a core.</param>
/// <param name="MemoryMiB">Host memory.</param>
/// <param name="GpuCount">Devices; with a MIG profile 1.</param>
/// <param name="GpuMilli">Thousandths of each device, 1 to 1000.</param>
/// <param name="Models">Acceptable GPU models; null or empty: any.</param>
/// <param name="MinGpuMemoryMiB">Least memory of a device; 0: any.</param>
/// <param name="NicMbps">Network bandwidth; 0: none promised.</param>
/// <param name="MigProfile">Such as "2g.20gb"; null: no partition.</param>
public sealed record ResourceAsk(
    int CpuMilli,
    int MemoryMiB,
    int GpuCount = 0,
    int GpuMilli = GpuLanes.Whole,
    IReadOnlyList<string>? Models = null,
    int MinGpuMemoryMiB = 0,
    int NicMbps = 0,
    string? MigProfile = null)
{
    /// <summary>The demand on a fleet.</summary>
    /// <exception cref="ArgumentException">An amount out of range.</exception>
    public Demand On(FleetCatalog catalog)
    {
        if (CpuMilli < 0 || MemoryMiB < 0 || NicMbps < 0 || GpuCount is < 0 or > GpuLanes.Max || (GpuCount > 0 && GpuMilli is < 1 or > GpuLanes.Whole))
        {
            throw new ArgumentException($"a request for {CpuMilli}m CPU, {MemoryMiB} MiB, {GpuCount} x {GpuMilli} GPU, {NicMbps} Mbit/s is out of range");
        }

        IEnumerable<string> models = MigProfile is null ? Models ?? [] : (Models ?? []).Select(model => model + "/mig");
        return new Demand(CpuMilli, MemoryMiB, GpuCount, GpuCount == 0 ? 0 : GpuMilli, catalog.ModelSet(models, MinGpuMemoryMiB), NicMbps);
    }
}

/// <summary>A request for a job: one replica, or a gang that starts together.</summary>
/// <param name="Job">Unique among running jobs.</param>
/// <param name="Ask">What each replica needs.</param>
public sealed record PlacementRequest(string Job, ResourceAsk Ask)
{
    /// <summary>Members of the gang.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Fewest members that are of use; 0: all.</summary>
    public int MinReplicas { get; init; }

    /// <summary>All members within one domain of this level, or the request is not placed.</summary>
    public TopologyLevel Required { get; init; } = TopologyLevel.Fleet;

    /// <summary>Tried first, then wider levels up to <see cref="Required"/>.</summary>
    public TopologyLevel Preferred { get; init; } = TopologyLevel.Fleet;

    /// <summary>Most members on one node; 0: no limit.</summary>
    public int MaxPerNode { get; init; }

    /// <summary>Jobs whose nodes are to be avoided.</summary>
    public IReadOnlyList<string> AvoidJobs { get; init; } = [];

    /// <summary>Larger is more important.</summary>
    public int Priority { get; init; }

    /// <summary>Who pays; quotas are per tenant.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>When it must be finished; needs <see cref="Expected"/>.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How long it will run; null: unknown.</summary>
    public TimeSpan? Expected { get; init; }

    /// <summary>Work since the last checkpoint is what a failure or an eviction costs; null: all of it.</summary>
    public TimeSpan? CheckpointEvery { get; init; }

    /// <summary>Offered for each GPU-hour; null: not an auction. Below the opportunity cost the request is refused.</summary>
    public double? BidPerGpuHour { get; init; }

    /// <summary>May stop jobs of lower priority.</summary>
    public bool MayPreempt { get; init; }

    /// <summary>Replicas of others that may be moved to make room.</summary>
    public int MoveBudget { get; init; }

    /// <summary>Null: the fleet's choice.</summary>
    public PolicyName? Policy { get; init; }
}
