using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Engine;

/// <summary>A job that holds something.</summary>
internal sealed class JobRecord(long number, PlacementRequest request, Demand demand, DateTimeOffset since)
{
    public long Number { get; } = number;

    public PlacementRequest Request { get; } = request;

    public Demand Demand { get; } = demand;

    public DateTimeOffset Since { get; } = since;

    /// <summary>Numbers of its allocations, by replica.</summary>
    public List<int> Allocations { get; } = [];

    /// <summary>Empty once committed.</summary>
    public string Token { get; set; } = "";

    public DateTimeOffset Expires { get; set; }

    /// <summary>GPU-hours that stopping it now would lose: the work since its last checkpoint.</summary>
    public double LostGpuHours(DateTimeOffset now)
    {
        TimeSpan atStake = now - Since;
        if (Request.CheckpointEvery is { } every && every > TimeSpan.Zero && atStake > every)
        {
            atStake = TimeSpan.FromTicks(atStake.Ticks % every.Ticks);
        }

        return Math.Max(0, atStake.TotalHours) * Math.Max(0, Demand.TotalGpuMilli) / 1000.0 * Allocations.Count;
    }

    /// <summary>When it is expected to end; null: unknown.</summary>
    public DateTimeOffset? Ends => Request.Expected is { } expected ? Since + expected : null;
}

/// <summary>Jobs by name and number, and what each tenant holds.</summary>
internal sealed class JobTable
{
    private readonly Dictionary<string, JobRecord> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<long, JobRecord> _byNumber = [];
    private readonly Dictionary<string, long> _heldByTenant = new(StringComparer.Ordinal);
    private long _next = 1;

    public IEnumerable<JobRecord> All => _byNumber.Values.OrderBy(job => job.Number);

    public long NextNumber() => _next++;

    /// <summary>Goes on counting where another table is.</summary>
    public void StartAt(JobTable other) => _next = other._next;

    public void StartAt(long number) => _next = number;

    /// <summary>The number that the next job gets.</summary>
    public long Next => _next;

    public JobRecord? Find(string name) => _byName.GetValueOrDefault(name);

    public JobRecord? Find(long number) => _byNumber.GetValueOrDefault(number);

    public long HeldBy(string tenant) => _heldByTenant.GetValueOrDefault(tenant);

    public void Add(JobRecord job)
    {
        _byName.Add(job.Request.Job, job);
        _byNumber.Add(job.Number, job);
        Count(job, +1);
    }

    public void Remove(JobRecord job)
    {
        _byName.Remove(job.Request.Job);
        _byNumber.Remove(job.Number);
        Count(job, -1);
    }

    private void Count(JobRecord job, int sign) =>
        _heldByTenant[job.Request.Tenant] = HeldBy(job.Request.Tenant) + (sign * job.Allocations.Count * (long)Math.Max(0, job.Demand.TotalGpuMilli));
}
