using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Aggregator.Placement;

/// <summary>
/// Reads the journal back. Calls are decided once more, which brings back the engine with all that it learned; beside it a ledger is kept
/// of what the outcomes say. Where both agree the engine goes on. Where they do not (a later version decides otherwise, a record is lost)
/// the ledger is right: jobs are where they were put, and a new engine adopts them.
/// </summary>
internal sealed class PlacementReplay
{
    private readonly Dictionary<string, PlacedJob> _ledger = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _cordoned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CommittedToken> _committed = new(StringComparer.Ordinal);
    private Staging? _staging;
    private byte[]? _expected;
    private EngineCall? _last;

    /// <summary>The engine as it was; null: there was none, or it decides otherwise now.</summary>
    internal PlacementEngine? Engine { get; private set; }

    /// <summary>Number of the last chapter that was begun.</summary>
    internal long Chapter { get; private set; }

    /// <summary>Jobs by the outcomes alone, in the order in which they came.</summary>
    internal IReadOnlyList<PlacedJob> Jobs => [.. _ledger.Values];

    internal IReadOnlyCollection<string> Cordoned => _cordoned;

    /// <summary>Tokens that were committed, for callers who ask again.</summary>
    internal IReadOnlyDictionary<string, CommittedToken> Committed => _committed;

    /// <summary>Above every number that a job had.</summary>
    internal long NextJob { get; private set; } = 1;

    /// <summary>Nodes of the last whole chapter.</summary>
    internal IReadOnlyList<NodeSpec> Nodes { get; private set; } = [];

    /// <summary>Calls that were decided once more.</summary>
    internal long Calls { get; private set; }

    /// <summary>Outcomes that the engine did not come to again.</summary>
    internal long Differences { get; private set; }

    /// <summary>Records that say nothing to this version.</summary>
    internal long Unread { get; private set; }

    /// <summary>The log ends in a chapter that is not whole; what comes next must be a new one.</summary>
    internal bool IsUnfinished => _staging is not null;

    /// <summary>Sees each decision as it is made again: for who compares or explains them.</summary>
    internal Action<EngineCall, EngineAnswer>? Decided { get; init; }

    /// <summary>The next record of the journal.</summary>
    internal void Take(byte kind, ReadOnlySpan<byte> payload)
    {
        bool isRead = (PlacementRecordKind)kind switch
        {
            PlacementRecordKind.Begin => PlacementRecord.Read<ChapterBegin>(payload) is { } begin && Begin(begin),
            PlacementRecordKind.Nodes => PlacementRecord.Read<ChapterNodes>(payload) is { } nodes && AddNodes(nodes),
            PlacementRecordKind.Call => PlacementRecord.Read<EngineCall>(payload) is { } call && Call(call),
            PlacementRecordKind.Outcome => PlacementRecord.Read<CallOutcome>(payload) is { } outcome && Happened(outcome, payload),
            PlacementRecordKind.Open => PlacementRecord.Read<ChapterOpen>(payload) is { } open && Open(open),
            PlacementRecordKind.Cordon => PlacementRecord.Read<CordonChange>(payload) is { } cordon && Cordon(cordon),
            _ => false,
        };
        Unread += isRead ? 0 : 1;
    }

    private bool Begin(ChapterBegin begin)
    {
        Chapter = begin.Chapter;
        _staging = new Staging(begin);
        return true;
    }

    private bool AddNodes(ChapterNodes nodes)
    {
        _staging?.Nodes.AddRange(nodes.Nodes);
        return _staging is not null;
    }

    private bool Call(EngineCall call)
    {
        if (_staging is not null)
        {
            _staging.Calls.Add(call);
            return true;
        }

        Calls++;
        NextJob++;
        Expire(call);
        _last = call;
        _expected = null;
        return Engine is null || Step(call);
    }

    private bool Step(EngineCall call)
    {
        try
        {
            EngineStep step = EngineStep.Run(Engine!, call);
            _expected = step.Outcome.IsEmpty ? null : PlacementRecord.Write(step.Outcome);
            Decided?.Invoke(call, step.Answer);
        }
        catch (ArgumentException)
        {
            // The request contradicts itself; its caller was told so when it was asked first.
            _expected = null;
        }

        return true;
    }

    private bool Happened(CallOutcome outcome, ReadOnlySpan<byte> payload)
    {
        if (Engine is not null && !payload.SequenceEqual(_expected))
        {
            Differences++;
            Engine = null;
        }

        foreach (string gone in outcome.Gone)
        {
            _ledger.Remove(gone);
        }

        foreach (PlacedJob job in outcome.Jobs)
        {
            _ledger[job.Request.Job] = job;
        }

        if (_last is EngineCall.Commit commit && outcome.Jobs is [{ } committed, ..])
        {
            _committed[commit.Token] = new CommittedToken(committed.Request.Job, committed.Since);
        }

        _expected = null;
        return true;
    }

    private bool Open(ChapterOpen open)
    {
        if (_staging is not { } staging || staging.Begin.Chapter != open.Chapter)
        {
            return false;
        }

        _staging = null;
        _ledger.Clear();
        foreach (EngineCall.Adopt adopt in staging.Calls.OfType<EngineCall.Adopt>())
        {
            _ledger[adopt.Request.Job] = new PlacedJob(adopt.Request, adopt.Assignments, adopt.Since, adopt.Token, adopt.Expires, null);
        }

        _cordoned.Clear();
        _cordoned.UnionWith(staging.Begin.Cordoned);
        NextJob = staging.Begin.Options.FirstJob + staging.Calls.Count;
        bool isWhole = staging.Nodes.Count == staging.Begin.Nodes && _ledger.Count == staging.Begin.Adopts;
        Nodes = isWhole ? staging.Nodes : [];
        Engine = isWhole ? new PlacementEngine(new FleetCatalog(staging.Nodes), staging.Begin.Options) : null;
        staging.Calls.ForEach(call => Engine?.Answer(call));
        return isWhole;
    }

    private bool Cordon(CordonChange change)
    {
        _ = change.Cordoned ? _cordoned.Add(change.Node) : _cordoned.Remove(change.Node);
        return true;
    }

    // As the engine does it with every call that has a time.
    private void Expire(EngineCall call)
    {
        DateTimeOffset? now = call switch
        {
            EngineCall.Place place => place.Now,
            EngineCall.Commit commit => commit.Now,
            EngineCall.Release release => release.Now,
            _ => null,
        };
        foreach (PlacedJob job in now is null ? [] : _ledger.Values.Where(job => job.Token.Length > 0 && now > job.Expires).ToArray())
        {
            _ledger.Remove(job.Request.Job);
        }
    }

    private sealed class Staging(ChapterBegin begin)
    {
        internal ChapterBegin Begin { get; } = begin;

        internal List<NodeSpec> Nodes { get; } = [];

        internal List<EngineCall> Calls { get; } = [];
    }
}

/// <summary>A job that was committed: by its beginning it is told from a later one of the same name.</summary>
internal readonly record struct CommittedToken(string Job, DateTimeOffset Since);
