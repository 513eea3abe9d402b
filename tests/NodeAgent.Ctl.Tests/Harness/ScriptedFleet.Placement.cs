using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <content>Placement as a test scripted it.</content>
internal sealed partial class ScriptedFleet
{
    public PlaceResponse PlaceAnswer { get; set; } = SamplePlacement.Place();
    public CommitResponse CommitAnswer { get; set; } = SamplePlacement.Commit();
    public ReleaseResponse ReleaseAnswer { get; set; } = SamplePlacement.Release();
    public WhatIfResponse WhatIfAnswer { get; set; } = SamplePlacement.WhatIf();
    public MovePlan PlanDrainAnswer { get; set; } = SamplePlacement.PlanDrain();
    public MovePlan PlanRebalanceAnswer { get; set; } = SamplePlacement.PlanRebalance();
    public MovePlan PlanRoomAnswer { get; set; } = SamplePlacement.PlanRoom();
    public ApplyResponse ApplyAnswer { get; set; } = SamplePlacement.Apply();
    public AdviseScaleResponse AdviseScaleAnswer { get; set; } = SamplePlacement.AdviseScale();
    public ListJobsResponse ListJobsAnswer { get; set; } = SamplePlacement.ListJobs();
    public RankNodesResponse RankNodesAnswer { get; set; } = SamplePlacement.RankNodes();
    public CordonResponse CordonAnswer { get; set; } = SamplePlacement.Cordon();

    public Task<PlaceResponse> PlaceAsync(PlaceRequest request, CancellationToken cancellation) => Answer(request, () => PlaceAnswer);

    public Task<CommitResponse> CommitAsync(CommitRequest request, CancellationToken cancellation) => Answer(request, () => CommitAnswer);

    public Task<ReleaseResponse> ReleaseAsync(ReleaseRequest request, CancellationToken cancellation) => Answer(request, () => ReleaseAnswer);

    public Task<WhatIfResponse> WhatIfAsync(WhatIfRequest request, CancellationToken cancellation) => Answer(request, () => WhatIfAnswer);

    public Task<MovePlan> PlanDrainAsync(PlanDrainRequest request, CancellationToken cancellation) => Answer(request, () => PlanDrainAnswer);

    public Task<MovePlan> PlanRebalanceAsync(PlanRebalanceRequest request, CancellationToken cancellation) => Answer(request, () => PlanRebalanceAnswer);

    public Task<MovePlan> PlanRoomAsync(PlanRoomRequest request, CancellationToken cancellation) => Answer(request, () => PlanRoomAnswer);

    public Task<ApplyResponse> ApplyAsync(ApplyRequest request, CancellationToken cancellation) => Answer(request, () => ApplyAnswer);

    public Task<AdviseScaleResponse> AdviseScaleAsync(AdviseScaleRequest request, CancellationToken cancellation) => Answer(request, () => AdviseScaleAnswer);

    public Task<ListJobsResponse> ListJobsAsync(ListJobsRequest request, CancellationToken cancellation) => Answer(request, () => ListJobsAnswer);

    public Task<RankNodesResponse> RankNodesAsync(RankNodesRequest request, CancellationToken cancellation) => Answer(request, () => RankNodesAnswer);

    public Task<CordonResponse> CordonAsync(CordonRequest request, CancellationToken cancellation) => Answer(request, () => CordonAnswer);
}
