using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Mig;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Engine;

/// <summary>A job that holds something, or that lost what it held.</summary>
/// <param name="Request">As it was asked for.</param>
/// <param name="Assignments">Where its replicas are, or (lost) were.</param>
/// <param name="Since">When it was placed.</param>
/// <param name="Token">Waits for its commit under this; empty: committed.</param>
/// <param name="Expires">When the token does.</param>
/// <param name="Lost">Why it has no place any more; null: it has.</param>
public sealed record PlacedJob(PlacementRequest Request, IReadOnlyList<Assignment> Assignments, DateTimeOffset Since, string Token, DateTimeOffset Expires, string? Lost);

/// <content>Taking over the jobs of another engine: after a restart, and when the fleet has another shape.</content>
public sealed partial class PlacementEngine
{
    private readonly SortedDictionary<string, PlacedJob> _lost = new(StringComparer.Ordinal);

    /// <summary>The number that the next job gets; see <see cref="EngineOptions.FirstJob"/>.</summary>
    public long NextJob => _jobs.Next;

    /// <summary>Jobs with their places, oldest first; then those that lost theirs, by name.</summary>
    public IEnumerable<PlacedJob> PlacedJobs => _jobs.All.Select(PlacedJobOf).Concat(_lost.Values);

    /// <summary>A job by name, placed or lost. Null: there is none.</summary>
    public PlacedJob? Find(string job) => _jobs.Find(job) is { } record ? PlacedJobOf(record) : _lost.GetValueOrDefault(job);

    /// <summary>Demand that found no room, by hour: for an engine that takes over.</summary>
    public IEnumerable<RefusedAsk> Refusals => _refused.ByHour();

    /// <summary>Takes over what another engine refused: the evidence that <see cref="AdviseScale"/> stands on.</summary>
    /// <exception cref="ArgumentException">An amount out of range.</exception>
    public void AdoptRefusal(RefusedAsk refused)
    {
        Journal?.Invoke(new EngineCall.Refused(refused));
        _refused.Add(refused.Ask.On(_book.State.Catalog), refused.Ask, refused.Replicas, refused.At);
    }

    /// <summary>The job that waits for its commit under a token. Null: none does.</summary>
    public string? JobOf(string token) => _held.GetValueOrDefault(token)?.Request.Job;

    /// <summary>
    /// Takes over a job that was placed by another engine: it keeps its nodes, its devices and its token. Health does not matter, it runs
    /// already. Where a node or its room is gone the whole job is kept as lost until it is released or adopted by an engine that has it again.
    /// </summary>
    /// <returns>Null: it has its place. Otherwise why not.</returns>
    /// <exception cref="ArgumentException">The request contradicts itself, or a job of this name is there.</exception>
    public string? Adopt(PlacementRequest request, IReadOnlyList<Assignment> assignments, DateTimeOffset since, string token, DateTimeOffset expires)
    {
        Journal?.Invoke(new EngineCall.Adopt(request, assignments, since, token, expires));
        Demand demand = Checked(request);
        int mark = _book.Mark();
        MigProfile? profile = request.Ask.MigProfile is { } name ? MigProfile.Find(name) : null;
        Demand held = profile is null || assignments.Count == 0 ? demand : MigSearch.Instance(demand, profile, assignments[0].MigStart);
        var job = new JobRecord(_jobs.NextNumber(), request, held, since) { Token = token, Expires = expires };
        foreach (Assignment assignment in assignments.OrderBy(assignment => assignment.Replica))
        {
            if (TryTakeAgain(job, assignment, profile) is { } reason)
            {
                _book.UndoTo(mark);
                _lost.Add(request.Job, new PlacedJob(request, assignments, since, token, expires, reason));
                return reason;
            }
        }

        _book.Settle();
        _jobs.Add(job);
        if (token.Length > 0)
        {
            _held.Add(token, job);
        }

        Learn(demand, assignments.Count);
        return null;
    }

    private string? TryTakeAgain(JobRecord job, Assignment assignment, MigProfile? profile)
    {
        FleetState state = _book.State;
        int node = state.Catalog.Find(assignment.Node);
        if (node < 0)
        {
            return $"node {assignment.Node} is gone";
        }

        NodeSpec spec = state.Catalog.Nodes[node];
        if (assignment.Devices.Any(device => device < 0 || device >= spec.GpuCount))
        {
            return $"node {assignment.Node} has {spec.GpuCount} GPUs now, device {assignment.Devices.Max()} is gone";
        }

        if (assignment.Devices.Count > 0 && spec.Mig != profile is not null)
        {
            return $"the GPUs of node {assignment.Node} are {(spec.Mig ? "partitioned" : "whole")} now";
        }

        uint lanes = Lanes.Mask(assignment.Devices);
        if (!HasRoom(node, job.Demand, lanes, profile, assignment.MigStart))
        {
            return $"node {assignment.Node} no longer has room for it";
        }

        job.Allocations.Add(_book.Take(job.Number, node, job.Demand, lanes));
        return null;
    }

    private bool HasRoom(int node, in Demand demand, uint lanes, MigProfile? profile, int migStart)
    {
        FleetState state = _book.State;
        if (state.Cpu(node) < demand.CpuMilli || state.Memory(node) < demand.MemoryMiB || state.Nic(node) < demand.NicMbps
            || System.Numerics.BitOperations.PopCount(lanes) != demand.GpuCount)
        {
            return false;
        }

        // Of a partitioned device the state holds the slices in use.
        return profile is null ? (lanes & ~state.Gpus(node).LanesWith(demand.GpuMilli)) == 0
            : profile.Starts.Contains(migStart) && profile.Fits(state.Gpus(node)[System.Numerics.BitOperations.TrailingZeroCount(lanes)], migStart);
    }

    private PlacedJob PlacedJobOf(JobRecord job) =>
        new(job.Request, [.. job.Allocations.Select((number, replica) => AssignmentOf(replica, number))], job.Since, job.Token, job.Expires, Lost: null);
}
