using Grpc.Core;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>The Query service of a real server, with scripted answers.</summary>
internal sealed class ScriptedQuery : V1.Query.QueryBase
{
    /// <summary>What every call ends with while set.</summary>
    public Status? Failure { get; set; }

    /// <summary>Set once a call that never answers has begun.</summary>
    public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) => Answer(SampleFleet.Nodes());

    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context) => Answer(SampleFleet.Node(request));

    public override Task<QueryResponse> Instant(InstantRequest request, ServerCallContext context) =>
        Answer(request.Query.FormCase == QueryInput.FormOneofCase.Spec ? SampleFleet.Top(request) : SampleFleet.Loads());

    public override Task<QueryResponse> TopK(TopKRequest request, ServerCallContext context) => Answer(SampleFleet.Loads());

    public override Task ListSeries(ListSeriesRequest request, IServerStreamWriter<ListSeriesResponse> responses, ServerCallContext context) =>
        Stream(SampleFleet.Series(), responses);

    public override Task Range(RangeRequest request, IServerStreamWriter<RangeResponse> responses, ServerCallContext context) =>
        Stream(SampleFleet.Ranges(), responses);

    public override Task ListEvents(ListEventsRequest request, IServerStreamWriter<ListEventsResponse> responses, ServerCallContext context) =>
        Stream(SampleFleet.Events(), responses);

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responses, ServerCallContext context)
    {
        await Stream(SampleFleet.Watched(), responses);
        await HangAsync(context);
    }

    public override async Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        if (Failure is { StatusCode: StatusCode.DeadlineExceeded }) await HangAsync(context);
        GetStatusResponse status = await Answer(SampleFleet.Status());
        // The doctor compares clocks; a scripted one would always be wrong.
        status.WallUnixMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        return status;
    }

    private async Task HangAsync(ServerCallContext context)
    {
        Hanging.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
    }

    private Task<T> Answer<T>(T answer) => Failure is { } status ? throw new RpcException(status) : Task.FromResult(answer);

    private async Task Stream<T>(IReadOnlyList<T> parts, IServerStreamWriter<T> responses)
    {
        if (Failure is { } status) throw new RpcException(status);
        foreach (T part in parts) await responses.WriteAsync(part);
    }
}
