using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>The Placement service as commands see it. Failures as for <see cref="IFleet"/>.</summary>
internal interface IPlacement
{
    Task<PlaceResponse> PlaceAsync(PlaceRequest request, CancellationToken cancellation);

    Task<CommitResponse> CommitAsync(CommitRequest request, CancellationToken cancellation);

    Task<ReleaseResponse> ReleaseAsync(ReleaseRequest request, CancellationToken cancellation);

    Task<WhatIfResponse> WhatIfAsync(WhatIfRequest request, CancellationToken cancellation);

    Task<MovePlan> PlanDrainAsync(PlanDrainRequest request, CancellationToken cancellation);

    Task<MovePlan> PlanRebalanceAsync(PlanRebalanceRequest request, CancellationToken cancellation);

    Task<MovePlan> PlanRoomAsync(PlanRoomRequest request, CancellationToken cancellation);

    Task<ApplyResponse> ApplyAsync(ApplyRequest request, CancellationToken cancellation);

    Task<AdviseScaleResponse> AdviseScaleAsync(AdviseScaleRequest request, CancellationToken cancellation);

    Task<ListJobsResponse> ListJobsAsync(ListJobsRequest request, CancellationToken cancellation);

    Task<RankNodesResponse> RankNodesAsync(RankNodesRequest request, CancellationToken cancellation);

    Task<CordonResponse> CordonAsync(CordonRequest request, CancellationToken cancellation);
}
