using System.Runtime.CompilerServices;
using Grpc.Core;
using Grpc.Health.V1;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>The aggregator's services over gRPC.</summary>
/// <param name="invoker">A channel's call invoker.</param>
/// <param name="channel">Closed with this. Null: somebody else's.</param>
internal sealed partial class RpcFleet(CallInvoker invoker, ConnectionSettings settings, TimeProvider time, IDisposable? channel = null) : IFleet
{
    private readonly V1.Query.QueryClient _query = new(invoker);
    private readonly Admin.AdminClient _admin = new(invoker);

    public Task<ListNodesResponse> ListNodesAsync(ListNodesRequest request, CancellationToken cancellation) =>
        Unary("cannot list nodes", _query.ListNodesAsync, request, cancellation);

    public Task<GetNodeResponse> GetNodeAsync(GetNodeRequest request, CancellationToken cancellation) =>
        Unary($"cannot show node '{request.Name}'", _query.GetNodeAsync, request, cancellation);

    public IAsyncEnumerable<ListSeriesResponse> ListSeriesAsync(ListSeriesRequest request, CancellationToken cancellation) =>
        Stream("cannot list series", options => _query.ListSeries(request, options), Options(cancellation), cancellation);

    public Task<QueryResponse> InstantAsync(InstantRequest request, CancellationToken cancellation) =>
        Unary("cannot evaluate", _query.InstantAsync, request, cancellation);

    public IAsyncEnumerable<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellation) =>
        Stream("cannot evaluate", options => _query.Range(request, options), Options(cancellation), cancellation);

    public Task<QueryResponse> TopKAsync(TopKRequest request, CancellationToken cancellation) =>
        Unary("cannot evaluate", _query.TopKAsync, request, cancellation);

    public IAsyncEnumerable<WatchResponse> WatchAsync(WatchRequest request, CancellationToken cancellation) =>
        Stream("cannot watch", options => _query.Watch(request, options), Endless(cancellation), cancellation);

    public IAsyncEnumerable<ListEventsResponse> ListEventsAsync(ListEventsRequest request, CancellationToken cancellation) =>
        Stream("cannot list events", options => _query.ListEvents(request, options), request.Follow ? Endless(cancellation) : Options(cancellation), cancellation);

    public Task<GetStatusResponse> GetStatusAsync(GetStatusRequest request, CancellationToken cancellation) =>
        Unary("cannot read the status", _query.GetStatusAsync, request, cancellation);

    public Task<UsageResponse> UsageAsync(UsageRequest request, CancellationToken cancellation) =>
        Unary("cannot report usage", _query.UsageAsync, request, cancellation);

    public IAsyncEnumerable<BackupUpdate> BackupAsync(BackupRequest request, CancellationToken cancellation) =>
        Stream("cannot back up", options => _admin.Backup(request, options), Endless(cancellation), cancellation);

    public async Task<string> CheckHealthAsync(CancellationToken cancellation)
    {
        Health.HealthClient health = new(invoker);
        HealthCheckResponse answer = await Unary("cannot check the health", health.CheckAsync, new HealthCheckRequest(), cancellation).ConfigureAwait(false);
        return answer.Status switch
        {
            HealthCheckResponse.Types.ServingStatus.Serving => "SERVING",
            HealthCheckResponse.Types.ServingStatus.NotServing => "NOT_SERVING",
            HealthCheckResponse.Types.ServingStatus.ServiceUnknown => "SERVICE_UNKNOWN",
            _ => "UNKNOWN",
        };
    }

    public ValueTask DisposeAsync()
    {
        channel?.Dispose();
        return ValueTask.CompletedTask;
    }

    private CallOptions Options(CancellationToken cancellation) =>
        new(deadline: time.GetUtcNow().UtcDateTime + settings.Timeout, cancellationToken: cancellation);

    private static CallOptions Endless(CancellationToken cancellation) => new(cancellationToken: cancellation);

    private async Task<TAnswer> Unary<TRequest, TAnswer>(
        string what, Func<TRequest, CallOptions, AsyncUnaryCall<TAnswer>> call, TRequest request, CancellationToken cancellation)
    {
        try
        {
            using AsyncUnaryCall<TAnswer> running = call(request, Options(cancellation));
            return await running.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            throw Translate(what, failure, cancellation);
        }
    }

    private async IAsyncEnumerable<TAnswer> Stream<TAnswer>(
        string what, Func<CallOptions, AsyncServerStreamingCall<TAnswer>> call, CallOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using AsyncServerStreamingCall<TAnswer> running = call(options);
        while (await Next(running.ResponseStream).ConfigureAwait(false)) yield return running.ResponseStream.Current;

        async Task<bool> Next(IAsyncStreamReader<TAnswer> stream)
        {
            try
            {
                return await stream.MoveNext(cancellation).ConfigureAwait(false);
            }
            catch (RpcException failure)
            {
                throw Translate(what, failure, cancellation);
            }
        }
    }

    private Exception Translate(string what, RpcException failure, CancellationToken cancellation) =>
        failure.StatusCode == StatusCode.Cancelled && cancellation.IsCancellationRequested
            ? new OperationCanceledException(failure.Message, failure, cancellation)
            : RpcFailure.Explain(what, failure, settings);
}
