using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <content>Incidents as a test scripted them.</content>
internal sealed partial class ScriptedFleet
{
    public ListIncidentsResponse ListIncidentsAnswer { get; set; } = SampleIncidents.List();
    public IReadOnlyList<IncidentUpdate> IncidentUpdates { get; set; } = SampleIncidents.Updates();
    public ExplainResponse ExplainAnswer { get; set; } = SampleIncidents.Explain();
    public ForecastResponse ForecastAnswer { get; set; } = SampleIncidents.Forecast();

    public Task<ListIncidentsResponse> ListIncidentsAsync(ListIncidentsRequest request, CancellationToken cancellation) => Answer(request, () => ListIncidentsAnswer);

    public IAsyncEnumerable<IncidentUpdate> WatchIncidentsAsync(WatchIncidentsRequest request, CancellationToken cancellation) => Stream(request, IncidentUpdates, cancellation);

    public Task<ExplainResponse> ExplainAsync(ExplainRequest request, CancellationToken cancellation) => Answer(request, () => ExplainAnswer);

    public Task<AcknowledgeResponse> AcknowledgeAsync(AcknowledgeRequest request, CancellationToken cancellation) =>
        Answer(request, () => new AcknowledgeResponse { Incident = SampleIncidents.Throttled() });

    public Task<SilenceResponse> SilenceAsync(SilenceRequest request, CancellationToken cancellation) => Answer(request, () => new SilenceResponse { Silence = SampleIncidents.Silence() });

    public Task<UnsilenceResponse> UnsilenceAsync(UnsilenceRequest request, CancellationToken cancellation) => Answer(request, () => new UnsilenceResponse());

    public Task<ListSilencesResponse> ListSilencesAsync(ListSilencesRequest request, CancellationToken cancellation) =>
        Answer(request, () => new ListSilencesResponse { Silences = { SampleIncidents.Silence() }, WallUnixMs = HandTime.StartUnixMs });

    public Task<FeedbackResponse> FeedbackAsync(FeedbackRequest request, CancellationToken cancellation) =>
        Answer(request, () => new FeedbackResponse { Cause = "throttle-thermal", Strictness = 1.25 });

    public Task<DetectResponse> DetectAsync(DetectRequest request, CancellationToken cancellation) => Answer(request, SampleIncidents.Detect);

    public Task<ForecastResponse> ForecastAsync(ForecastRequest request, CancellationToken cancellation) => Answer(request, () => ForecastAnswer);

    public Task<ForecastCapacityResponse> ForecastCapacityAsync(ForecastCapacityRequest request, CancellationToken cancellation) => Answer(request, SampleIncidents.Capacity);
}
