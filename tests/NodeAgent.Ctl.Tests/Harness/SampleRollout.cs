using Google.Protobuf;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A rollout and chains as an aggregator shows them.</summary>
internal static class SampleRollout
{
    internal static readonly Guid Id = Guid.Parse("019a7f00-0000-7000-8000-000000000001");

    internal static Rollout Done() => new()
    {
        RolloutId = CommandEnvelope.ToBytes(Id),
        Kind = "gpu_power_limit",
        Risk = RiskClass.R1,
        Selector = "gpu-0?",
        Reason = "too warm",
        People = { "operator/anna", "operator/ben" },
        Approvals = 2,
        Phase = RolloutPhase.Done,
        SubmittedUnixMs = 1_795_253_400_000,
        Wave = 1,
        Waves = 2,
        TargetCount = 2,
        Succeeded = 1,
        Failed = 1,
        SoakMs = 60_000,
        Targets =
        {
            new TargetState
            {
                Node = "gpu-01", CommandId = CommandEnvelope.ToBytes(Id), Phase = TargetPhase.Succeeded, Stage = CommandStage.Acted,
                Result = new CommandResult { CommandId = CommandEnvelope.ToBytes(Id), Outcome = CommandOutcome.Done, Detail = "400000 mW is enforced", RevertsAtUnixMs = 1_795_257_000_000 },
            },
            new TargetState
            {
                Node = "gpu-02", CommandId = CommandEnvelope.ToBytes(Id), Wave = 1, Phase = TargetPhase.Failed,
                Result = new CommandResult
                {
                    CommandId = CommandEnvelope.ToBytes(Id), Outcome = CommandOutcome.PreconditionFailed, Detail = "gpu-present: no GPU has this UUID", Output = ByteString.CopyFromUtf8("said\n"),
                    Preconditions = { new PreconditionResult { Name = "gpu-present", Detail = "no GPU has this UUID" } },
                },
            },
        },
    };

    internal static ListHeadsResponse Heads() => new()
    {
        Own = Head(4),
        Owner = CommandEnvelope.ToBytes(Id),
        Heads = { new NodeHead { Node = "gpu-01", AgentId = CommandEnvelope.ToBytes(Id), Head = Head(12), SeenUnixMs = 1_795_253_400_000 } },
    };

    private static ChainHead Head(ulong index) => new() { Index = index, Hash = ByteString.CopyFrom(Enumerable.Repeat((byte)index, 32).ToArray()) };
}
