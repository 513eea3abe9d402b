using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Aggregator.Placement;

/// <summary>One call on an engine and what it came to: the same code live and in a replay, so that they cannot differ.</summary>
/// <param name="Answer">What the caller gets.</param>
/// <param name="Outcome">What the journal gets.</param>
internal readonly record struct EngineStep(EngineAnswer Answer, CallOutcome Outcome)
{
    /// <exception cref="ArgumentException">The request contradicts itself.</exception>
    internal static EngineStep Run(PlacementEngine engine, EngineCall call)
    {
        string? held = call is EngineCall.Commit commit ? engine.JobOf(commit.Token) : null;
        EngineAnswer answer = engine.Answer(call);
        (IEnumerable<string?> changed, IEnumerable<string?> gone) = Touched(call, answer, held);
        return new EngineStep(answer, new CallOutcome([.. changed.OfType<string>().Distinct().Select(engine.Find).OfType<PlacedJob>()], [.. gone.OfType<string>()]));
    }

    private static (IEnumerable<string?> Changed, IEnumerable<string?> Gone) Touched(EngineCall call, EngineAnswer answer, string? held) => (call, answer) switch
    {
        (EngineCall.Place, { Decision: { Token.Length: > 0 } decision }) =>
            (decision.Moves.Select(move => move.Job).Prepend(decision.Job), decision.Evictions.Select(eviction => eviction.Job)),
        (EngineCall.Commit, { Commit: CommitResult.Committed }) => ([held], []),
        (EngineCall.Commit, _) => ([], [held]),
        (EngineCall.Release release, { Done: true }) => ([], [release.Job]),
        (EngineCall.Apply apply, { Done: true }) => (apply.Moves.Select(move => move.Job), []),
        _ => ([], []),
    };
}
