using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <content>Commands as a test scripted them.</content>
internal sealed partial class ScriptedFleet
{
    public PrepareResponse PrepareAnswer { get; set; } = new()
    {
        WallUnixMs = 1_795_253_400_000,
        SoakMs = 60_000,
        Approvals = 1,
        Targets = { new CommandTarget { Node = "gpu-01", Fleet = "local", Incarnation = ByteString.CopyFrom(new byte[CommandIdentity.IncarnationBytes]), Sequence = 7, Wave = 0 } },
    };

    public Rollout RolloutAnswer { get; set; } = SampleRollout.Done();

    public List<AuditLinkRecord> Chain { get; set; } = [];

    public ListHeadsResponse HeadsAnswer { get; set; } = SampleRollout.Heads();

    public Task<PrepareResponse> PrepareAsync(PrepareRequest request, CancellationToken cancellation) => Answer(request, () => PrepareAnswer);

    public Task<Rollout> SubmitAsync(SubmitRequest request, CancellationToken cancellation) => Answer(request, () => RolloutAnswer);

    public Task<Rollout> ApproveAsync(ApproveRequest request, CancellationToken cancellation) => Answer(request, () => RolloutAnswer);

    public Task<Rollout> CancelAsync(CancelRequest request, CancellationToken cancellation) => Answer(request, () => RolloutAnswer);

    public IAsyncEnumerable<Rollout> WatchRolloutAsync(WatchRolloutRequest request, CancellationToken cancellation) => Stream(request, [RolloutAnswer], cancellation);

    public Task<ListRolloutsResponse> ListRolloutsAsync(ListRolloutsRequest request, CancellationToken cancellation) =>
        Answer(request, () => new ListRolloutsResponse { Rollouts = { RolloutAnswer } });

    public Task<HaltState> HaltAsync(HaltRequest request, CancellationToken cancellation) => Answer(request, () => new HaltState { Halted = true });

    public Task<HaltState> ResumeAsync(ResumeRequest request, CancellationToken cancellation) => Answer(request, () => new HaltState());

    public IAsyncEnumerable<AuditLinkRecord> ReadAuditAsync(ReadAuditRequest request, CancellationToken cancellation) => Stream(request, Chain, cancellation);

    public Task<ListHeadsResponse> ListHeadsAsync(CancellationToken cancellation) => Answer(new ListHeadsRequest(), () => HeadsAnswer);
}
