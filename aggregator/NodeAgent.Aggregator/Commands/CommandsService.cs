using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.V1;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>The gRPC adapter of the desk: it says who calls, the desk decides.</summary>
internal sealed class CommandsService(CommandDesk desk) : V1.Commands.CommandsBase
{
    private const int MostListed = 200;
    private const int AuditPage = 256;

    public override Task<PrepareResponse> Prepare(PrepareRequest request, ServerCallContext context) => OnOwnThread(() => desk.Prepare(request));

    public override Task<Wire.Rollout> Submit(SubmitRequest request, ServerCallContext context) => OnOwnThread(() => desk.Submit(CallerOf(context), request));

    public override Task<Wire.Rollout> Approve(ApproveRequest request, ServerCallContext context) => OnOwnThread(() => desk.Approve(CallerOf(context), request));

    public override Task<Wire.Rollout> Cancel(CancelRequest request, ServerCallContext context) => OnOwnThread(() => desk.Cancel(CallerOf(context), request));

    public override async Task Watch(WatchRolloutRequest request, IServerStreamWriter<Wire.Rollout> responseStream, ServerCallContext context)
    {
        while (true)
        {
            (Wire.Rollout message, bool hasEnded, Task changed) = Guard(() => desk.Look(request.RolloutId, request.WithPayloads));
            await responseStream.WriteAsync(message, context.CancellationToken).ConfigureAwait(false);
            if (hasEnded)
            {
                return;
            }

            await changed.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<ListRolloutsResponse> List(ListRolloutsRequest request, ServerCallContext context) =>
        Task.FromResult(desk.List(request.Limit is 0 or > MostListed ? MostListed : (int)request.Limit));

    public override Task<HaltState> Halt(HaltRequest request, ServerCallContext context) => OnOwnThread(() => desk.Halt(CallerOf(context), request.Reason));

    public override Task<HaltState> Resume(ResumeRequest request, ServerCallContext context) => OnOwnThread(() => desk.Resume(CallerOf(context), request.Reason));

    public override async Task ReadAudit(ReadAuditRequest request, IServerStreamWriter<AuditLinkRecord> responseStream, ServerCallContext context)
    {
        ulong next = Math.Max(1, request.FromIndex);
        while (true)
        {
            IReadOnlyList<AuditLinkRecord> page = desk.ReadAudit(next, AuditPage);
            foreach (AuditLinkRecord record in page)
            {
                await responseStream.WriteAsync(record, context.CancellationToken).ConfigureAwait(false);
            }

            if (page.Count < AuditPage)
            {
                return;
            }

            next = page[^1].Index + 1;
        }
    }

    public override Task<ListHeadsResponse> ListHeads(ListHeadsRequest request, ServerCallContext context) => Task.FromResult(desk.Heads());

    private static string CallerOf(ServerCallContext context) => CallerIdentity.Of(context).ToString();

    // Each waits for the disk, which must not hold up the sockets of the agents.
    private static Task<T> OnOwnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(() => Guard(work), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ArgumentException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
        catch (KeyNotFoundException e)
        {
            throw new RpcException(new Status(StatusCode.NotFound, e.Message));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, e.Message));
        }
        catch (CommandStateException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
        catch (CommandJournalException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
        }
    }
}
