using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>
/// The aggregator as commands see it: the services without the call machinery. Every failure of the world is a
/// <see cref="CtlException"/>; cancellation is an <see cref="OperationCanceledException"/>.
/// </summary>
internal interface IFleet : ICommanding, IIdentities, IIncidents, IPlacement, IAsyncDisposable
{
    Task<ListNodesResponse> ListNodesAsync(ListNodesRequest request, CancellationToken cancellation);

    Task<GetNodeResponse> GetNodeAsync(GetNodeRequest request, CancellationToken cancellation);

    IAsyncEnumerable<ListSeriesResponse> ListSeriesAsync(ListSeriesRequest request, CancellationToken cancellation);

    Task<QueryResponse> InstantAsync(InstantRequest request, CancellationToken cancellation);

    IAsyncEnumerable<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellation);

    Task<QueryResponse> TopKAsync(TopKRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline: it ends when it is cancelled.</summary>
    IAsyncEnumerable<WatchResponse> WatchAsync(WatchRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline when it follows.</summary>
    IAsyncEnumerable<ListEventsResponse> ListEventsAsync(ListEventsRequest request, CancellationToken cancellation);

    Task<GetStatusResponse> GetStatusAsync(GetStatusRequest request, CancellationToken cancellation);

    Task<UsageResponse> UsageAsync(UsageRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline: it takes as long as its disk.</summary>
    IAsyncEnumerable<BackupUpdate> BackupAsync(BackupRequest request, CancellationToken cancellation);

    /// <summary>The server's overall health by grpc.health.v1: "SERVING", "NOT_SERVING", …</summary>
    Task<string> CheckHealthAsync(CancellationToken cancellation);
}
