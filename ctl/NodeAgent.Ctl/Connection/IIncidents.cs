using NodeAgent.V1;

namespace NodeAgent.Ctl.Connection;

/// <summary>The Incidents service as commands see it. Failures as for <see cref="IFleet"/>.</summary>
internal interface IIncidents
{
    Task<ListIncidentsResponse> ListIncidentsAsync(ListIncidentsRequest request, CancellationToken cancellation);

    /// <summary>Without a deadline: it ends when it is cancelled.</summary>
    IAsyncEnumerable<IncidentUpdate> WatchIncidentsAsync(WatchIncidentsRequest request, CancellationToken cancellation);

    Task<ExplainResponse> ExplainAsync(ExplainRequest request, CancellationToken cancellation);

    Task<AcknowledgeResponse> AcknowledgeAsync(AcknowledgeRequest request, CancellationToken cancellation);

    Task<SilenceResponse> SilenceAsync(SilenceRequest request, CancellationToken cancellation);

    Task<UnsilenceResponse> UnsilenceAsync(UnsilenceRequest request, CancellationToken cancellation);

    Task<ListSilencesResponse> ListSilencesAsync(ListSilencesRequest request, CancellationToken cancellation);

    Task<FeedbackResponse> FeedbackAsync(FeedbackRequest request, CancellationToken cancellation);

    Task<DetectResponse> DetectAsync(DetectRequest request, CancellationToken cancellation);

    Task<ForecastResponse> ForecastAsync(ForecastRequest request, CancellationToken cancellation);

    Task<ForecastCapacityResponse> ForecastCapacityAsync(ForecastCapacityRequest request, CancellationToken cancellation);
}
