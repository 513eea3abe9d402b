using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Mig;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Engine;

/// <summary>
/// Decides where jobs run. Pure: no clock, no I/O; time comes in with each call, and the same calls on the same fleet give the same
/// answers. Two phases: a decision holds its place under a token until it is committed or expires. One thread at a time.
/// </summary>
public sealed partial class PlacementEngine
{
    private readonly EngineOptions _options;
    private readonly FleetBook _book;
    private readonly JobTable _jobs = new();
    private readonly OnlineMix _arrivals;
    private readonly PolicyChooser _chooser = new();
    private readonly Dictionary<PolicyName, PlacementSearch> _searches = [];
    private readonly TopologyDomains _domains;
    private readonly GangPlacer _gangs;
    private readonly Explainer _explainer;
    private readonly MigSearch _mig;
    private readonly Dictionary<string, JobRecord> _held = new(StringComparer.Ordinal);
    private readonly RefusedDemand _refused = new();
    private WorkloadMix _mix;

    /// <param name="catalog">The fleet, empty.</param>
    /// <param name="options">How to decide.</param>
    /// <param name="expected">What is known of the workload: request shapes with counts; null: the prior on large shapes alone.</param>
    public PlacementEngine(FleetCatalog catalog, EngineOptions? options = null, IReadOnlyList<(ResourceAsk Ask, double Count)>? expected = null)
        : this(new FleetBook(catalog), options ?? new EngineOptions(), expected)
    {
    }

    private PlacementEngine(FleetBook book, EngineOptions options, IReadOnlyList<(ResourceAsk Ask, double Count)>? expected)
    {
        (_book, _options) = (book, options);
        FleetCatalog catalog = book.State.Catalog;
        _arrivals = new OnlineMix(expected is null
            ? OnlineMix.LargePrior(catalog, 500).DefaultIfEmpty((new Demand(1000, 0, 0, 0), 1))
            : expected.Select(entry => (entry.Ask.On(catalog), entry.Count)));
        _mix = _arrivals.Build();
        _domains = new TopologyDomains(catalog);
        _gangs = new GangPlacer(book, _domains);
        _explainer = new Explainer(book);
        _mig = new MigSearch(book.State, new MigValue(options.MigShares), 1);
        _jobs.StartAt(options.FirstJob);
    }

    /// <summary>Receives every call that can change a decision, before it is carried out: what a replay needs.</summary>
    public Action<EngineCall>? Journal { get; set; }

    /// <summary>What is free; read only.</summary>
    public FleetState State => _book.State;

    /// <summary>Who holds what; read only.</summary>
    public Allocations Allocations => _book.Allocations;

    /// <summary>Domains of the network.</summary>
    public TopologyDomains Domains => _domains;

    /// <summary>Jobs that hold something, oldest first.</summary>
    public IEnumerable<string> Jobs => _jobs.All.Select(job => job.Request.Job);

    /// <summary>Whether a request makes sense here; nothing happens.</summary>
    /// <exception cref="ArgumentException">It contradicts itself, or a job of its name is there.</exception>
    public void Validate(PlacementRequest request) => Checked(request);

    /// <summary>Decides where a job runs and holds the place.</summary>
    /// <param name="request">The job.</param>
    /// <param name="now">The time.</param>
    /// <param name="dryRun">True: nothing is held.</param>
    /// <param name="explain">False: no runners-up and rejects for a job that is placed (they cost searches).</param>
    /// <exception cref="ArgumentException">The request contradicts itself.</exception>
    public PlacementDecision Place(PlacementRequest request, DateTimeOffset now, bool dryRun = false, bool explain = true)
    {
        Journal?.Invoke(new EngineCall.Place(request, now, dryRun, explain));
        ExpireHeld(now);
        Demand demand = Checked(request);
        if (!dryRun)
        {
            Learn(demand, request.Replicas);
        }

        if (Forbidden(request, demand, now) is { } reason)
        {
            return Failed(request, PlacementOutcome.Refused, reason, Nothing);
        }

        return request.Ask.MigProfile is { } profile ? PlaceMig(request, demand, MigProfile.Find(profile)!, now, dryRun) : PlaceGpus(request, demand, now, dryRun, explain);
    }

    /// <summary>Several requests: more important first, then higher bids, then larger. Answers in the order of the requests.</summary>
    public IReadOnlyList<PlacementDecision> PlaceBatch(IReadOnlyList<PlacementRequest> requests, DateTimeOffset now, bool dryRun = false, bool explain = false)
    {
        var decisions = new PlacementDecision[requests.Count];
        foreach (int index in BatchOrder(requests))
        {
            decisions[index] = Place(requests[index], now, dryRun, explain);
        }

        return decisions;
    }

    /// <summary>Indexes of requests in the order in which a batch places them.</summary>
    public static IEnumerable<int> BatchOrder(IReadOnlyList<PlacementRequest> requests) =>
        Enumerable.Range(0, requests.Count).OrderByDescending(index => requests[index].Priority).ThenByDescending(index => requests[index].BidPerGpuHour ?? 0)
            .ThenByDescending(index => requests[index].Ask.GpuCount * requests[index].Ask.GpuMilli * requests[index].Replicas).ThenBy(index => index);

    /// <summary>Makes a held place permanent.</summary>
    public CommitResult Commit(string token, DateTimeOffset now)
    {
        Journal?.Invoke(new EngineCall.Commit(token, now));
        if (!_held.Remove(token, out JobRecord? job))
        {
            ExpireHeld(now);
            return CommitResult.Unknown;
        }

        CommitResult result = now > job.Expires ? CommitResult.Expired
            : job.Allocations.Any(number => _book.State.Condition(_book.Allocations[number].Node).Filter != NodeFilter.None) ? CommitResult.Conflict
            : CommitResult.Committed;
        if (result == CommitResult.Committed)
        {
            job.Token = "";
        }
        else
        {
            Remove(job);
        }

        ExpireHeld(now);
        return result;
    }

    /// <summary>Gives back all that a job holds. False: it holds nothing.</summary>
    public bool Release(string jobName, DateTimeOffset now)
    {
        Journal?.Invoke(new EngineCall.Release(jobName, now));
        ExpireHeld(now);
        if (_jobs.Find(jobName) is not { } job)
        {
            return _lost.Remove(jobName);
        }

        Remove(job);
        _chooser.Departed();
        return true;
    }

    /// <summary>What telemetry says about a node. False: there is no such node.</summary>
    public bool SetCondition(string node, NodeCondition condition)
    {
        Journal?.Invoke(new EngineCall.Condition(node, condition));
        int number = _book.State.Catalog.Find(node);
        if (number < 0)
        {
            return false;
        }

        _book.SetCondition(number, condition);
        _book.Settle();
        return true;
    }

    /// <summary>Carries out a call from a journal. Null: the call has no decision.</summary>
    public PlacementDecision? Replay(EngineCall call) => Answer(call).Decision;

    /// <summary>Carries out a call.</summary>
    public EngineAnswer Answer(EngineCall call)
    {
        switch (call)
        {
            case EngineCall.Place place:
                return new EngineAnswer { Decision = Place(place.Request, place.Now, place.DryRun, place.Explain) };
            case EngineCall.Commit commit:
                return new EngineAnswer { Commit = Commit(commit.Token, commit.Now) };
            case EngineCall.Release release:
                return new EngineAnswer { Done = Release(release.Job, release.Now) };
            case EngineCall.Condition condition:
                return new EngineAnswer { Done = SetCondition(condition.Node, condition.Value) };
            case EngineCall.Apply apply:
                return new EngineAnswer { Done = ApplyMoves(apply.Moves) };
            case EngineCall.Adopt adopt:
                return new EngineAnswer { Done = Adopt(adopt.Request, adopt.Assignments, adopt.Since, adopt.Token, adopt.Expires) is null };
            case EngineCall.Refused refused:
                AdoptRefusal(refused.Value);
                return new EngineAnswer { Done = true };
            default:
                throw new InvalidOperationException($"BUG: {call.GetType().Name} cannot be replayed");
        }
    }

    private static readonly Explanation Nothing = new([], [], [], []);

    private Demand Checked(PlacementRequest request)
    {
        if (request.Job.Length == 0 || _jobs.Find(request.Job) is not null || _lost.ContainsKey(request.Job))
        {
            throw new ArgumentException($"job \"{request.Job}\" needs a name that no running job has{(_lost.ContainsKey(request.Job) ? "; it lost its place, release it first" : "")}");
        }

        if (request.Replicas < 1 || request.MinReplicas < 0 || request.MinReplicas > request.Replicas || request.Preferred > request.Required)
        {
            throw new ArgumentException($"job {request.Job}: {request.MinReplicas} to {request.Replicas} replicas, preferred {request.Preferred}, required {request.Required}");
        }

        if (request.Ask.MigProfile is { } profile && (MigProfile.Find(profile) is null || request.Replicas != 1))
        {
            throw new ArgumentException($"job {request.Job}: {request.Replicas} x MIG profile {profile} cannot be placed; one of {string.Join(", ", MigProfile.All.Select(known => known.Name))}, one replica each");
        }

        return request.Ask.On(_book.State.Catalog);
    }

    private string? Forbidden(PlacementRequest request, Demand demand, DateTimeOffset now)
    {
        if (_options.QuotaGpuMilli.TryGetValue(request.Tenant, out long quota) && _jobs.HeldBy(request.Tenant) + ((long)demand.TotalGpuMilli * request.Replicas) > quota)
        {
            return $"quota of {request.Tenant}: {quota / 1000.0:F1} GPUs, {_jobs.HeldBy(request.Tenant) / 1000.0:F1} in use";
        }

        if (request is { Deadline: { } deadline, Expected: { } expected } && now + expected > deadline)
        {
            return $"deadline {deadline:O} cannot be met: {expected} of work from {now:O}";
        }

        return null;
    }

    private void Learn(Demand demand, int replicas)
    {
        for (int replica = 0; replica < replicas && demand.GpuMilli >= 0; replica++)
        {
            _arrivals.Observe(demand);
        }

        _chooser.Arrived();
        if (_arrivals.Stale)
        {
            _mix = _arrivals.Build();
            foreach (PlacementSearch search in _searches.Values)
            {
                _book.Forget(search.Changed);
            }

            _searches.Clear();
        }
    }

    private PlacementSearch SearchFor(PlacementRequest? request = null)
    {
        PolicyName name = request?.Policy ?? _options.Policy;
        name = name == PolicyName.Auto ? _chooser.Current : name;
        if (!_searches.TryGetValue(name, out PlacementSearch? search))
        {
            search = PolicyFactory.Search(_book, PolicyFactory.Create(name, _book.State.Catalog, _mix, futures: _options.Futures), _mix);
            _searches.Add(name, search);
        }

        return search;
    }

    private void ExpireHeld(DateTimeOffset now)
    {
        foreach (JobRecord job in _held.Values.Where(job => now > job.Expires).OrderBy(job => job.Number).ToArray())
        {
            _held.Remove(job.Token);
            Remove(job);
        }
    }

    private void Remove(JobRecord job)
    {
        _held.Remove(job.Token);
        _jobs.Remove(job);
        foreach (int number in job.Allocations)
        {
            _book.Release(number);
        }

        _book.Settle();
    }
}
