using NodeAgent.Journal;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Aggregator.Placement;

/// <summary>
/// The one place where the fleet's placement happens: an engine, its journal and the view of the live fleet under one lock. Conditions are
/// refreshed when somebody asks, at most once a second (and on a very large fleet for at most a twentieth of the time). When the fleet has another shape, a new engine takes over the jobs: a new chapter
/// of the journal. Questions run on a copy, outside of the lock, and leave no trace.
/// </summary>
internal sealed class PlacementDesk : IDisposable
{
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(1);

    // A look at 1,000 nodes of eight GPUs takes 0.08 s; at ten times that, decisions must not wait for looks half of the time.
    private const int RefreshShare = 20;

    // A start reads one chapter: 50,000 decisions are made again in a second or two.
    private const long MostRecordsInChapter = 100_000;

    // Tokens of commits whose answer may have been lost on the way; nobody asks again an hour later.
    private const int MostCommitted = 10_000;

    // Advice on buying nodes looks back a week at most over a change of the fleet; without an end every chapter would carry all of history.
    private static readonly TimeSpan RefusalsKept = TimeSpan.FromDays(7);

    private readonly Lock _lock = new();
    private readonly PlacementJournal _journal;
    private readonly FleetView _view;
    private readonly TimeProvider _time;
    private readonly PlacementLog _log;
    private readonly SortedSet<string> _cordoned;
    private readonly Dictionary<string, CommittedToken> _committed;
    private readonly Queue<string> _committedOrder;

    private PlacementEngine _engine;
    private long _chapter;
    private string? _chapterWanted; // why a new chapter is due; null: none is
    private long? _refreshedAt;
    private TimeSpan _refreshTook;
    private Dictionary<string, NodeFacts> _facts = new(StringComparer.Ordinal);

    /// <summary>For a backup.</summary>
    internal DurableLog Journal => _journal.Log;

    internal PlacementDesk(PlacementJournal journal, PlacementReplay replay, FleetView view, TimeProvider time, PlacementLog log)
    {
        (_journal, _view, _time, _log) = (journal, view, time, log);
        _cordoned = new SortedSet<string>(replay.Cordoned, StringComparer.Ordinal);
        _committed = new Dictionary<string, CommittedToken>(replay.Committed, StringComparer.Ordinal);
        _committedOrder = new Queue<string>(_committed.Keys);
        _chapter = replay.Chapter;
        _engine = replay.Engine ?? Successor(replay.Nodes, replay.NextJob, replay.Jobs.OrderBy(job => job.Since).ThenBy(job => job.Request.Job, StringComparer.Ordinal).Select(AdoptionOf));
        _chapterWanted = replay.Engine is null || replay.IsUnfinished ? "start" : null;
    }

    /// <summary>How each decision is made; see <see cref="EngineOptions"/>.</summary>
    private static EngineOptions Options(long firstJob) => new() { FirstJob = firstJob };

    internal PlacementDecision Place(PlacementRequest request) => PlaceBatch([request], explain: true)[0];

    internal IReadOnlyList<PlacementDecision> PlaceBatch(IReadOnlyList<PlacementRequest> requests, bool explain)
    {
        lock (_lock)
        {
            DateTimeOffset now = ReadyNeedsLock();
            PlacementRequest[] resolved = [.. requests.Select(ResolvedNeedsLock)];
            CheckNeedsLock(resolved);
            var decisions = new PlacementDecision[requests.Count];
            foreach (int index in PlacementEngine.BatchOrder(resolved))
            {
                decisions[index] = DoNeedsLock(new EngineCall.Place(resolved[index], now, DryRun: false, explain)).Decision!;
            }

            return decisions;
        }
    }

    /// <summary>Makes a held place permanent; durable when it returns. Asked again it answers the same.</summary>
    internal (CommitResult Result, string Job) Commit(string token)
    {
        lock (_lock)
        {
            DateTimeOffset now = ReadyNeedsLock();
            if (_committed.TryGetValue(token, out CommittedToken done) && _engine.Find(done.Job) is { Token: "" } job && job.Since == done.Since)
            {
                _journal.Commit();
                return (CommitResult.Committed, done.Job);
            }

            string name = _engine.JobOf(token) ?? "";
            CommitResult result = DoNeedsLock(new EngineCall.Commit(token, now)).Commit!.Value;
            if (result == CommitResult.Committed)
            {
                RememberNeedsLock(token, _engine.Find(name)!);
            }

            _journal.Commit();
            return (result, name);
        }
    }

    /// <summary>Gives back what a job holds; durable when it returns. False: it holds nothing.</summary>
    internal bool Release(string job)
    {
        lock (_lock)
        {
            DateTimeOffset now = ReadyNeedsLock();
            bool isDone = DoNeedsLock(new EngineCall.Release(job, now)).Done;
            _journal.Commit();
            return isDone;
        }
    }

    /// <summary>Carries out a plan in the books; durable when it returns. False: it is out of date, and nothing was done.</summary>
    internal bool Apply(MovePlan plan)
    {
        lock (_lock)
        {
            ReadyNeedsLock();
            bool isDone = DoNeedsLock(new EngineCall.Apply(plan.Summary, plan.Moves)).Done;
            _journal.Commit();
            return isDone;
        }
    }

    /// <summary>Keeps new work away from a node, or ends that. False: there is no such node.</summary>
    internal bool Cordon(string node, bool cordoned)
    {
        lock (_lock)
        {
            ReadyNeedsLock();
            if (_engine.State.Catalog.Find(node) < 0 && !_facts.ContainsKey(node) && !_cordoned.Contains(node))
            {
                return false;
            }

            _journal.Append(PlacementRecordKind.Cordon, new CordonChange(node, cordoned));
            _ = cordoned ? _cordoned.Add(node) : _cordoned.Remove(node);
            ApplyConditionsNeedsLock();
            _journal.Commit();
            return true;
        }
    }

    /// <summary>A copy of the engine to ask, the time, and the requests with their models resolved.</summary>
    internal (PlacementEngine Engine, DateTimeOffset Now, IReadOnlyList<PlacementRequest> Requests) Ask(params IReadOnlyList<PlacementRequest> requests)
    {
        lock (_lock)
        {
            DateTimeOffset now = ReadyNeedsLock();
            return (_engine.Copy(now), now, [.. requests.Select(ResolvedNeedsLock)]);
        }
    }

    internal IReadOnlyList<ScaleAdvice> AdviseScale(TimeSpan window)
    {
        lock (_lock)
        {
            DateTimeOffset now = ReadyNeedsLock();
            return _engine.AdviseScale(now - window);
        }
    }

    /// <summary>Everything that is held, and what is not known.</summary>
    internal PlacementBooks Books()
    {
        lock (_lock)
        {
            DateTimeOffset now = _time.GetUtcNow();
            try
            {
                RefreshNeedsLock();
            }
            catch (PlacementJournalException)
            {
                // A failing disk keeps the books from changing, not from being read; whoever wants to change them is told.
                now = _time.GetUtcNow();
            }

            return new PlacementBooks(
                [.. _engine.PlacedJobs], [.. _facts.Values.Where(fact => fact.Spec is null).OrderBy(fact => fact.Name, StringComparer.Ordinal)], [.. _cordoned],
                _engine.State.Count, _engine.State.Version, now);
        }
    }

    /// <summary>What the books hold now, without a look at the fleet.</summary>
    internal IReadOnlyList<PlacedJob> PlacedJobs()
    {
        lock (_lock)
        {
            return [.. _engine.PlacedJobs];
        }
    }

    /// <summary>Nodes that are not in the catalogue, by what is missing.</summary>
    internal IReadOnlyList<RejectCount> UnknownNodes()
    {
        lock (_lock)
        {
            return [.. _facts.Values.Where(fact => fact.Spec is null).GroupBy(fact => fact.Unknown).Select(group => new RejectCount("not known: " + group.Key, group.Count())).OrderByDescending(count => count.Nodes)];
        }
    }

    /// <summary>UUIDs of a node's devices, as far as they are known.</summary>
    internal IReadOnlyList<string> Uuids(string node, IReadOnlyList<int> devices)
    {
        lock (_lock)
        {
            IReadOnlyList<string> known = _facts.GetValueOrDefault(node)?.Uuids ?? [];
            return devices.All(device => device < known.Count && known[device].Length > 0) ? [.. devices.Select(device => known[device])] : [];
        }
    }

    public void Dispose() => _journal.Dispose();

    // Something can be decided: the fleet is known, and the journal has a chapter to go on in.
    private DateTimeOffset ReadyNeedsLock()
    {
        DateTimeOffset now = RefreshNeedsLock();
        return _engine.State.Count > 0 ? now : throw new FleetUnknownException(
            $"placement knows no node yet{(_facts.Count > 0 ? $"; {_facts.Count} are seen, the first: {_facts.Values.First().Name}: {_facts.Values.First().Unknown}" : "")}");
    }

    // Before the first of a batch is placed: a batch of which a part is refused for good would leave the rest held.
    private void CheckNeedsLock(PlacementRequest[] requests)
    {
        if (requests.GroupBy(request => request.Job).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"job {twice.Key} is in the batch {twice.Count()} times");
        }

        foreach (PlacementRequest request in requests)
        {
            _engine.Validate(request);
        }
    }

    private EngineAnswer DoNeedsLock(EngineCall call)
    {
        _journal.Append(PlacementRecordKind.Call, call);
        EngineStep step = EngineStep.Run(_engine, call);
        if (!step.Outcome.IsEmpty)
        {
            _journal.Append(PlacementRecordKind.Outcome, step.Outcome);
        }

        return step.Answer;
    }

    private void RememberNeedsLock(string token, PlacedJob job)
    {
        if (_committedOrder.Count == MostCommitted)
        {
            _committed.Remove(_committedOrder.Dequeue());
        }

        _committed[token] = new CommittedToken(job.Request.Job, job.Since);
        _committedOrder.Enqueue(token);
    }

    private DateTimeOffset RefreshNeedsLock()
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (_refreshedAt is null || IsRefreshDue(_time.GetElapsedTime(_refreshedAt.Value)) || _chapterWanted is not null)
        {
            long began = _time.GetTimestamp();
            _refreshedAt = began;
            FleetCatalog catalog = _engine.State.Catalog;
            _facts = _view.Read(now.ToUnixTimeMilliseconds(), name => catalog.Find(name) is var node && node >= 0 ? catalog.Nodes[node] : null)
                .ToDictionary(fact => fact.Name, StringComparer.Ordinal);
            _refreshTook = _time.GetElapsedTime(began);
            FollowShapeNeedsLock(now);
            ApplyConditionsNeedsLock();
        }

        return now;
    }

    private bool IsRefreshDue(TimeSpan age) => age >= RefreshInterval && age >= _refreshTook * RefreshShare;

    private void FollowShapeNeedsLock(DateTimeOffset now)
    {
        FleetCatalog catalog = _engine.State.Catalog;
        NodeSpec[] specs = Shape(catalog, _facts);
        _chapterWanted ??= specs.SequenceEqual(catalog.Nodes) ? (_journal.RecordsInChapter > MostRecordsInChapter ? "a long chapter" : null) : Difference(catalog, specs);
        if (_chapterWanted is { } reason)
        {
            BeginChapterNeedsLock(specs, reason, now);
            _chapterWanted = null;
        }
    }

    // Nodes that the registry does not know (its own log is gone) keep their shape: their jobs are real.
    private static NodeSpec[] Shape(FleetCatalog catalog, Dictionary<string, NodeFacts> facts)
    {
        IEnumerable<NodeSpec> absent = catalog.Nodes.Where(node => !facts.ContainsKey(node.Name) || facts[node.Name].Spec is null);
        return [.. facts.Values.Select(fact => fact.Spec).OfType<NodeSpec>().Concat(absent).OrderBy(spec => spec.Name, StringComparer.Ordinal)
            .Select((spec, number) => spec with { Place = new NetworkPlace(NvlinkDomain: number, Rack: 0, Leaf: 0) })];
    }

    private static string Difference(FleetCatalog catalog, NodeSpec[] specs)
    {
        string[] joined = [.. specs.Where(spec => catalog.Find(spec.Name) < 0).Select(spec => spec.Name)];
        string[] changed = [.. specs.Where(spec => catalog.Find(spec.Name) is var node && node >= 0 && catalog.Nodes[node] with { Place = spec.Place } != spec).Select(spec => spec.Name)];
        return string.Join("; ", new[] { Named("joined", joined), Named("changed", changed) }.Where(text => text.Length > 0));

        static string Named(string what, string[] names) => names.Length switch
        {
            0 => "",
            <= 3 => $"{string.Join(", ", names)} {what}",
            _ => $"{names.Length} nodes {what}",
        };
    }

    private void BeginChapterNeedsLock(NodeSpec[] specs, string reason, DateTimeOffset now)
    {
        const int nodesPerRecord = 200; // 40 kB: far below the largest record, whatever the names
        PlacedJob[] jobs = [.. _engine.PlacedJobs];
        EngineCall[] inheritance = [.. jobs.Select(AdoptionOf), .. _engine.Refusals.Where(refused => refused.At >= now - RefusalsKept).Select(refused => new EngineCall.Refused(refused))];
        PlacementEngine engine = Successor(specs, _engine.NextJob, inheritance);
        ulong begin = _journal.Append(PlacementRecordKind.Begin, new ChapterBegin(++_chapter, now, reason, specs.Length, jobs.Length, Options(_engine.NextJob), [.. _cordoned]));
        foreach (NodeSpec[] part in specs.Chunk(nodesPerRecord))
        {
            _journal.Append(PlacementRecordKind.Nodes, new ChapterNodes(part));
        }

        foreach (EngineCall call in inheritance)
        {
            _journal.Append(PlacementRecordKind.Call, call);
        }

        _journal.Append(PlacementRecordKind.Open, new ChapterOpen(_chapter));
        _journal.Commit();
        _journal.ChapterOpened(begin);
        PlacedJob[] lost = [.. engine.PlacedJobs.Where(job => job.Lost is not null && _engine.Find(job.Request.Job)?.Lost is null)];
        _engine = engine;
        _log.ChapterBegun(_chapter, reason, specs.Length, jobs.Length);
        foreach (PlacedJob job in lost)
        {
            _log.JobLost(job.Request.Job, job.Lost!);
        }
    }

    private static PlacementEngine Successor(IReadOnlyList<NodeSpec> specs, long firstJob, IEnumerable<EngineCall> inheritance)
    {
        var engine = new PlacementEngine(new FleetCatalog(specs), Options(firstJob));
        foreach (EngineCall call in inheritance)
        {
            engine.Answer(call);
        }

        return engine;
    }

    private static EngineCall.Adopt AdoptionOf(PlacedJob job) => new(job.Request, job.Assignments, job.Since, job.Token, job.Expires);

    private void ApplyConditionsNeedsLock()
    {
        FleetState state = _engine.State;
        for (int node = 0; node < state.Count; node++)
        {
            string name = state.Catalog.Nodes[node].Name;
            NodeCondition condition = _facts.TryGetValue(name, out NodeFacts? facts) && facts.Spec is not null ? facts.Condition : new NodeCondition(NodeFilter.Dead, 0, 0);
            if (_cordoned.Contains(name) && condition.Filter != NodeFilter.Dead)
            {
                condition = condition with { Filter = NodeFilter.Cordoned };
            }

            if (state.Condition(node) != condition)
            {
                DoNeedsLock(new EngineCall.Condition(name, condition));
            }
        }
    }

    // People write "h100"; the books know "NVIDIA H100 80GB HBM3". Resolved before it is journalled, so that a replay need not guess.
    private PlacementRequest ResolvedNeedsLock(PlacementRequest request)
    {
        if (request.Ask.Models is not { Count: > 0 } wanted)
        {
            return request;
        }

        string[] known = [.. _engine.State.Catalog.Nodes.Select(node => node.Model).Where(model => model.Length > 0).Distinct()];
        string[] models = [.. wanted.SelectMany(name => known.Contains(name, StringComparer.Ordinal) ? [name] : known.Where(model => model.Contains(name, StringComparison.OrdinalIgnoreCase)).DefaultIfEmpty(name)).Distinct()];
        return request with { Ask = request.Ask with { Models = models } };
    }
}

/// <summary>What the desk holds.</summary>
/// <param name="Jobs">Oldest first, then the lost ones.</param>
/// <param name="Unknown">Nodes that are seen but not used.</param>
/// <param name="Cordoned">Kept free of new work by an operator.</param>
/// <param name="Nodes">Nodes that are known.</param>
/// <param name="Version">Of the state.</param>
/// <param name="Now">The time.</param>
internal sealed record PlacementBooks(
    IReadOnlyList<PlacedJob> Jobs, IReadOnlyList<NodeFacts> Unknown, IReadOnlyList<string> Cordoned, int Nodes, long Version, DateTimeOffset Now);

/// <summary>There is no node that placement knows enough of.</summary>
internal sealed class FleetUnknownException(string message) : Exception(message);
