using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>Signed commands of one kind for several nodes, on their way. Under the desk's lock.</summary>
internal sealed class Rollout
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal required Guid Id { get; init; }

    internal required CommandDescription Description { get; init; }

    internal required bool DryRun { get; init; }

    internal required string Selector { get; init; }

    internal required TimeSpan Soak { get; init; }

    /// <summary>People who must have signed before anything goes out.</summary>
    internal required int Approvals { get; init; }

    internal required long SubmittedUnixMs { get; init; }

    internal required IReadOnlyList<RolloutTarget> Targets { get; init; }

    /// <summary>By their certificates: who submitted, then who approved.</summary>
    internal List<string> People { get; } = [];

    /// <summary>Where the journal's record of its beginning lies.</summary>
    internal ulong FirstRecord { get; init; }

    internal RolloutPhase Phase { get; set; } = RolloutPhase.Running;

    internal string Detail { get; set; } = "";

    internal int Wave { get; set; }

    internal int Waves => Targets.Count == 0 ? 0 : Targets[^1].Wave + 1;

    internal bool IsOpen => Phase is RolloutPhase.AwaitingApproval or RolloutPhase.Running;

    internal int Failed => Targets.Count(target => target.HasFailed);

    /// <summary>Completes when anything changes after now.</summary>
    internal Task Changed => _changed.Task;

    internal void NoteChange()
    {
        TaskCompletionSource before = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.TrySetResult();
    }

    internal RolloutTarget? Find(ByteString commandId) => Targets.FirstOrDefault(target => target.Command.CommandId == commandId);

    internal Wire.Rollout ToMessage(bool withTargets, bool withPayloads)
    {
        Wire.Rollout message = new()
        {
            RolloutId = CommandEnvelope.ToBytes(Id),
            Kind = Description.Name,
            Risk = Description.Risk,
            DryRun = DryRun,
            Selector = Selector,
            Reason = Targets.Count > 0 ? Targets[0].Command.Reason : "",
            Approvals = (uint)Approvals,
            Phase = Phase,
            Detail = Detail,
            SubmittedUnixMs = SubmittedUnixMs,
            Wave = (uint)Wave,
            Waves = (uint)Waves,
            TargetCount = (uint)Targets.Count,
            Succeeded = (uint)Targets.Count(target => target.Phase == TargetPhase.Succeeded),
            Failed = (uint)Failed,
            SoakMs = (uint)Soak.TotalMilliseconds,
        };
        message.People.AddRange(People);
        if (withTargets)
        {
            message.Targets.AddRange(Targets.Select(target => ToMessage(target, withPayloads)));
        }

        return message;
    }

    private static TargetState ToMessage(RolloutTarget target, bool withPayload) => new()
    {
        Node = target.Node,
        CommandId = target.Command.CommandId,
        Wave = (uint)target.Wave,
        Phase = target.Phase,
        Stage = target.Stage,
        Result = target.Result,
        Detail = target.Detail,
        Payload = withPayload ? target.Envelope.Payload : ByteString.Empty,
    };
}
