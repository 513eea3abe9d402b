using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>The Commands service without the call machinery.</summary>
internal interface ICommanding
{
    Task<PrepareResponse> PrepareAsync(PrepareRequest request, CancellationToken cancellation);

    Task<Rollout> SubmitAsync(SubmitRequest request, CancellationToken cancellation);

    Task<Rollout> ApproveAsync(ApproveRequest request, CancellationToken cancellation);

    Task<Rollout> CancelAsync(CancelRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline: it ends when the rollout does.</summary>
    IAsyncEnumerable<Rollout> WatchRolloutAsync(WatchRolloutRequest request, CancellationToken cancellation);

    Task<ListRolloutsResponse> ListRolloutsAsync(ListRolloutsRequest request, CancellationToken cancellation);

    Task<HaltState> HaltAsync(HaltRequest request, CancellationToken cancellation);

    Task<HaltState> ResumeAsync(ResumeRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline: a chain can be long.</summary>
    IAsyncEnumerable<AuditLinkRecord> ReadAuditAsync(ReadAuditRequest request, CancellationToken cancellation);

    Task<ListHeadsResponse> ListHeadsAsync(CancellationToken cancellation);
}
