using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <content>The Commands service over gRPC.</content>
internal sealed partial class RpcFleet
{
    private readonly V1.Commands.CommandsClient _commands = new(invoker);

    public Task<PrepareResponse> PrepareAsync(PrepareRequest request, CancellationToken cancellation) =>
        Unary($"cannot prepare '{request.Kind}'", _commands.PrepareAsync, request, cancellation);

    public Task<Rollout> SubmitAsync(SubmitRequest request, CancellationToken cancellation) =>
        Unary("cannot submit", _commands.SubmitAsync, request, cancellation);

    public Task<Rollout> ApproveAsync(ApproveRequest request, CancellationToken cancellation) =>
        Unary("cannot approve", _commands.ApproveAsync, request, cancellation);

    public Task<Rollout> CancelAsync(CancelRequest request, CancellationToken cancellation) =>
        Unary("cannot cancel", _commands.CancelAsync, request, cancellation);

    public IAsyncEnumerable<Rollout> WatchRolloutAsync(WatchRolloutRequest request, CancellationToken cancellation) =>
        Stream("cannot watch the rollout", options => _commands.Watch(request, options), Endless(cancellation), cancellation);

    public Task<ListRolloutsResponse> ListRolloutsAsync(ListRolloutsRequest request, CancellationToken cancellation) =>
        Unary("cannot list rollouts", _commands.ListAsync, request, cancellation);

    public Task<HaltState> HaltAsync(HaltRequest request, CancellationToken cancellation) =>
        Unary("cannot halt", _commands.HaltAsync, request, cancellation);

    public Task<HaltState> ResumeAsync(ResumeRequest request, CancellationToken cancellation) =>
        Unary("cannot end the halt", _commands.ResumeAsync, request, cancellation);

    public IAsyncEnumerable<AuditLinkRecord> ReadAuditAsync(ReadAuditRequest request, CancellationToken cancellation) =>
        Stream("cannot read the audit", options => _commands.ReadAudit(request, options), Endless(cancellation), cancellation);

    public Task<ListHeadsResponse> ListHeadsAsync(CancellationToken cancellation) =>
        Unary("cannot list audit heads", _commands.ListHeadsAsync, new ListHeadsRequest(), cancellation);
}
