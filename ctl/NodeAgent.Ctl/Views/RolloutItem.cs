using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>Commands of one kind on their way to several nodes.</summary>
internal sealed record RolloutItem
{
    /// <summary>A UUID.</summary>
    public required string Rollout { get; init; }

    public required string Kind { get; init; }

    public required string Risk { get; init; }

    public required bool DryRun { get; init; }

    public required string Selector { get; init; }

    public required string Reason { get; init; }

    /// <summary>Who submitted, then who approved.</summary>
    public required IReadOnlyList<string> People { get; init; }

    public required uint Approvals { get; init; }

    /// <summary>awaiting_approval, running, done, stopped or cancelled.</summary>
    public required string Phase { get; init; }

    public required string Detail { get; init; }

    public required string? Submitted { get; init; }

    /// <summary>From 1.</summary>
    public required uint Wave { get; init; }

    public required uint Waves { get; init; }

    public required uint TargetCount { get; init; }

    public required uint Succeeded { get; init; }

    public required uint Failed { get; init; }

    /// <summary>Empty in a list of rollouts.</summary>
    public required IReadOnlyList<TargetItem> Targets { get; init; }

    /// <summary>It has ended, and on every node as wanted.</summary>
    internal bool IsGood => Phase == "done" && Succeeded == TargetCount;

    public static RolloutItem From(Rollout rollout) => new()
    {
        Rollout = new Guid(rollout.RolloutId.Span, bigEndian: true).ToString(),
        Kind = rollout.Kind,
        Risk = rollout.Risk.ToString(),
        DryRun = rollout.DryRun,
        Selector = rollout.Selector,
        Reason = rollout.Reason,
        People = [.. rollout.People],
        Approvals = rollout.Approvals,
        Phase = rollout.Phase switch
        {
            RolloutPhase.AwaitingApproval => "awaiting_approval",
            RolloutPhase.Running => "running",
            RolloutPhase.Done => "done",
            RolloutPhase.Stopped => "stopped",
            RolloutPhase.Cancelled => "cancelled",
            _ => "unknown",
        },
        Detail = rollout.Detail,
        Submitted = MomentText.Rfc3339(rollout.SubmittedUnixMs),
        Wave = rollout.Wave + 1,
        Waves = rollout.Waves,
        TargetCount = rollout.TargetCount,
        Succeeded = rollout.Succeeded,
        Failed = rollout.Failed,
        Targets = [.. rollout.Targets.Select(TargetItem.From)],
    };
}

/// <summary>One node's part in a rollout.</summary>
internal sealed record TargetItem
{
    public required string Node { get; init; }

    /// <summary>A UUID.</summary>
    public required string Command { get; init; }

    /// <summary>From 1.</summary>
    public required uint Wave { get; init; }

    /// <summary>waiting, sent, succeeded, failed, skipped or unknown.</summary>
    public required string State { get; init; }

    /// <summary>done, failed, not_verified, interrupted, precondition_failed, dry_run, or why it was refused. Null: not known yet.</summary>
    public required string? Outcome { get; init; }

    public required string Detail { get; init; }

    public required IReadOnlyList<ConditionItem> Preconditions { get; init; }

    /// <summary>Null: it does not revert by itself.</summary>
    public required string? Reverts { get; init; }

    /// <summary>What a diagnostic printed. Null: nothing.</summary>
    public required string? Output { get; init; }

    public static TargetItem From(TargetState target) => new()
    {
        Node = target.Node,
        Command = target.CommandId.Length == 16 ? new Guid(target.CommandId.Span, bigEndian: true).ToString() : "",
        Wave = target.Wave + 1,
        State = target.Phase switch
        {
            TargetPhase.Waiting => "waiting",
            TargetPhase.Sent => target.Stage switch { CommandStage.Verified => "checked", CommandStage.Consumed => "running", CommandStage.Acted => "verifying", _ => "sent" },
            TargetPhase.Succeeded => "succeeded",
            TargetPhase.Failed => "failed",
            TargetPhase.Skipped => "skipped",
            _ => "unknown",
        },
        Outcome = OutcomeOf(target.Result),
        Detail = target.Result is { Detail.Length: > 0 } result ? result.Detail : target.Detail,
        Preconditions = [.. (target.Result?.Preconditions ?? []).Select(condition => new ConditionItem(condition.Name, condition.Passed, condition.Detail))],
        Reverts = target.Result is { RevertsAtUnixMs: > 0 } set ? MomentText.Rfc3339(set.RevertsAtUnixMs) : null,
        Output = target.Result is { Output.Length: > 0 } told ? told.Output.ToStringUtf8() : null,
    };

    internal static string? OutcomeOf(V1.CommandResult? result) => result switch
    {
        null => null,
        { Refusal.Length: > 0 } => result.Refusal,
        _ => result.Outcome switch
        {
            CommandOutcome.Done => "done",
            CommandOutcome.Failed => "failed",
            CommandOutcome.NotVerified => "not_verified",
            CommandOutcome.Interrupted => "interrupted",
            CommandOutcome.PreconditionFailed => "precondition_failed",
            CommandOutcome.DryRun => "dry_run",
            _ => null,
        },
    };
}

/// <param name="Name">Stable.</param>
/// <param name="Passed">It held.</param>
/// <param name="Detail">With the values.</param>
internal sealed record ConditionItem(string Name, bool Passed, string Detail);
