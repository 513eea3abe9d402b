using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <content>The Placement service over gRPC.</content>
internal sealed partial class RpcFleet
{
    private readonly V1.Placement.PlacementClient _placement = new(invoker);

    public Task<PlaceResponse> PlaceAsync(PlaceRequest request, CancellationToken cancellation) =>
        Unary($"cannot place '{request.Request?.Job}'", _placement.PlaceAsync, request, cancellation);

    public Task<CommitResponse> CommitAsync(CommitRequest request, CancellationToken cancellation) =>
        Unary("cannot commit", _placement.CommitAsync, request, cancellation);

    public Task<ReleaseResponse> ReleaseAsync(ReleaseRequest request, CancellationToken cancellation) =>
        Unary($"cannot release '{request.Job}'", _placement.ReleaseAsync, request, cancellation);

    public Task<WhatIfResponse> WhatIfAsync(WhatIfRequest request, CancellationToken cancellation) =>
        Unary("cannot try that", _placement.WhatIfAsync, request, cancellation);

    public Task<MovePlan> PlanDrainAsync(PlanDrainRequest request, CancellationToken cancellation) =>
        Unary($"cannot plan to drain '{request.Node}'", _placement.PlanDrainAsync, request, cancellation);

    public Task<MovePlan> PlanRebalanceAsync(PlanRebalanceRequest request, CancellationToken cancellation) =>
        Unary("cannot plan to rebalance", _placement.PlanRebalanceAsync, request, cancellation);

    public Task<MovePlan> PlanRoomAsync(PlanRoomRequest request, CancellationToken cancellation) =>
        Unary($"cannot plan room for '{request.Request?.Job}'", _placement.PlanRoomAsync, request, cancellation);

    public Task<ApplyResponse> ApplyAsync(ApplyRequest request, CancellationToken cancellation) =>
        Unary("cannot apply the plan", _placement.ApplyAsync, request, cancellation);

    public Task<AdviseScaleResponse> AdviseScaleAsync(AdviseScaleRequest request, CancellationToken cancellation) =>
        Unary("cannot advise", _placement.AdviseScaleAsync, request, cancellation);

    public Task<ListJobsResponse> ListJobsAsync(ListJobsRequest request, CancellationToken cancellation) =>
        Unary("cannot list jobs", _placement.ListJobsAsync, request, cancellation);

    public Task<RankNodesResponse> RankNodesAsync(RankNodesRequest request, CancellationToken cancellation) =>
        Unary("cannot rank nodes", _placement.RankNodesAsync, request, cancellation);

    public Task<CordonResponse> CordonAsync(CordonRequest request, CancellationToken cancellation) =>
        Unary($"cannot cordon '{request.Node}'", _placement.CordonAsync, request, cancellation);
}
