using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <content>The Incidents service over gRPC.</content>
internal sealed partial class RpcFleet
{
    private readonly Incidents.IncidentsClient _incidents = new(invoker);

    public Task<ListIncidentsResponse> ListIncidentsAsync(ListIncidentsRequest request, CancellationToken cancellation) =>
        Unary("cannot list incidents", _incidents.ListAsync, request, cancellation);

    public IAsyncEnumerable<IncidentUpdate> WatchIncidentsAsync(WatchIncidentsRequest request, CancellationToken cancellation) =>
        Stream("cannot watch incidents", options => _incidents.Watch(request, options), Endless(cancellation), cancellation);

    public Task<ExplainResponse> ExplainAsync(ExplainRequest request, CancellationToken cancellation) =>
        Unary($"cannot explain incident {request.Id}", _incidents.ExplainAsync, request, cancellation);

    public Task<AcknowledgeResponse> AcknowledgeAsync(AcknowledgeRequest request, CancellationToken cancellation) =>
        Unary($"cannot acknowledge incident {request.Id}", _incidents.AcknowledgeAsync, request, cancellation);

    public Task<SilenceResponse> SilenceAsync(SilenceRequest request, CancellationToken cancellation) =>
        Unary("cannot silence", _incidents.SilenceAsync, request, cancellation);

    public Task<UnsilenceResponse> UnsilenceAsync(UnsilenceRequest request, CancellationToken cancellation) =>
        Unary($"cannot end silence {request.Id}", _incidents.UnsilenceAsync, request, cancellation);

    public Task<ListSilencesResponse> ListSilencesAsync(ListSilencesRequest request, CancellationToken cancellation) =>
        Unary("cannot list silences", _incidents.ListSilencesAsync, request, cancellation);

    public Task<FeedbackResponse> FeedbackAsync(FeedbackRequest request, CancellationToken cancellation) =>
        Unary($"cannot judge incident {request.Id}", _incidents.FeedbackAsync, request, cancellation);

    public Task<DetectResponse> DetectAsync(DetectRequest request, CancellationToken cancellation) =>
        Unary("cannot look back", _incidents.DetectAsync, request, cancellation);

    public Task<ForecastResponse> ForecastAsync(ForecastRequest request, CancellationToken cancellation) =>
        Unary("cannot forecast", _incidents.ForecastAsync, request, cancellation);

    public Task<ForecastCapacityResponse> ForecastCapacityAsync(ForecastCapacityRequest request, CancellationToken cancellation) =>
        Unary("cannot forecast", _incidents.ForecastCapacityAsync, request, cancellation);
}
