using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Detection.Incidents;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Detection;

/// <summary>The gRPC adapter of the desk and of questions about history and future: it translates, they decide.</summary>
internal sealed class IncidentsService(DetectionParts? parts, ISeriesReader store, QueryEngine engine, TimeProvider time) : Incidents.IncidentsBase, IDisposable
{
    private const long LongestSilenceMs = 30L * 86_400_000;
    private const int DefaultLimit = 1_000;
    private const int MostIncidents = 10_000;
    private const int MostText = 1_000;

    // A scan reads and computes for seconds; more at once would only be slower together.
    private readonly SemaphoreSlim _scans = new(2);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private DetectionParts Parts => parts ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, "detection is switched off (detection.enabled)"));

    private IncidentDesk Desk => Parts.Desk;

    public override Task<ListIncidentsResponse> List(ListIncidentsRequest request, ServerCallContext context)
    {
        long now = NowMs;
        int limit = request.Limit == 0 ? DefaultLimit : (int)Math.Min(request.Limit, MostIncidents);
        (IReadOnlyList<Wire.Incident> found, int total) = Desk.List(
            incident => (request.IncludeSilenced || incident.State != NodeAgent.Detection.Incidents.IncidentState.Silenced)
                && (request.Node.Length == 0 || incident.Nodes.Contains(request.Node))
                && (request.Cause.Length == 0 || incident.Findings.Any(finding => finding.Cause == request.Cause)),
            request.IncludeResolved, limit, now);
        ListIncidentsResponse response = new() { Total = (uint)total, WallUnixMs = now };
        response.Incidents.AddRange(found);
        return Task.FromResult(response);
    }

    public override Task<Wire.Incident> Get(GetIncidentRequest request, ServerCallContext context) => Task.FromResult(Known(request.Id).Wire);

    public override async Task Watch(WatchIncidentsRequest request, IServerStreamWriter<IncidentUpdate> responses, ServerCallContext context)
    {
        IncidentSubscription watcher = new(request.Node);
        IReadOnlyList<Wire.Incident> present = Desk.Subscribe(watcher, NowMs);
        try
        {
            await WriteAsync(request.OnlyChanges ? [] : present, 0, responses, context).ConfigureAwait(false);
            await foreach (IncidentUpdate update in watcher.Reader.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
            {
                if (watcher.TakeMissed() is var missed && missed > 0)
                {
                    await WriteAsync(Desk.Present(watcher, NowMs), missed, responses, context).ConfigureAwait(false);
                }

                await responses.WriteAsync(update, context.CancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Desk.Unsubscribe(watcher);
        }
    }

    public override Task<AcknowledgeResponse> Acknowledge(AcknowledgeRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        (Wire.Incident incident, bool isDurable) = Desk.Acknowledge((long)request.Id, CallerIdentity.Of(context).ToString(), NowMs)
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"no incident {request.Id} is live"));
        MustBeDurable(isDurable);
        return new AcknowledgeResponse { Incident = incident };
    });

    public override Task<SilenceResponse> Silence(SilenceRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        Check(request.Node.Length > 0 || request.Cause.Length > 0, "a silence needs a node or a cause: a whole fleet is never silenced by accident");
        Check(!string.IsNullOrWhiteSpace(request.Reason) && request.Reason.Length <= MostText, $"a silence needs a reason, at most {MostText} characters");
        Check(request.DurationMs is > 0 and <= (ulong)LongestSilenceMs, "a silence needs a duration, at most 30 days: every silence ends");
        long now = NowMs;
        (Silence set, bool isDurable) = Desk.Silence(
            new Silence(request.Node, request.Cause, now + (long)request.DurationMs, request.Reason, CallerIdentity.Of(context).ToString()) { SetUnixMs = now }, now);
        MustBeDurable(isDurable);
        return new SilenceResponse { Silence = IncidentMapping.ToWire(set) };
    });

    public override Task<UnsilenceResponse> Unsilence(UnsilenceRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        MustBeDurable(Desk.Unsilence((long)request.Id, NowMs) ?? throw new RpcException(new Status(StatusCode.NotFound, $"there is no silence {request.Id}")));
        return new UnsilenceResponse();
    });

    public override Task<ListSilencesResponse> ListSilences(ListSilencesRequest request, ServerCallContext context)
    {
        ListSilencesResponse response = new() { WallUnixMs = NowMs };
        response.Silences.AddRange(Desk.Silences().Select(IncidentMapping.ToWire));
        return Task.FromResult(response);
    }

    public override Task<ExplainResponse> Explain(ExplainRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        long now = NowMs;
        var known = Known(request.Id);
        long around = request.AroundMs == 0 ? 600_000 : (long)Math.Clamp(request.AroundMs, 10_000, 7UL * 86_400_000);
        ExplainResponse response = new() { Incident = known.Wire, Why = known.Why, Strictness = known.Strictness, WallUnixMs = now };
        response.Evidence.AddRange(new IncidentEvidence(engine).Of(known.Findings, known.Wire.Causes, around, now, CallerIdentity.Of(context).ToString(), context.CancellationToken));
        return response;
    });

    public override Task<FeedbackResponse> Feedback(FeedbackRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        (string cause, double strictness, bool isDurable) = Desk.Judge((long)request.Id, request.Right)
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"no incident {request.Id} is known"));
        MustBeDurable(isDurable);
        return new FeedbackResponse { Cause = cause, Strictness = strictness };
    });

    public override Task<DetectResponse> Detect(DetectRequest request, ServerCallContext context) => InTurnAsync(context, () =>
    {
        Check(request.Selector.Length > 0, "a selector is needed: a whole fleet is never scanned by accident");
        long to = request.HasToUnixMs ? request.ToUnixMs : NowMs;
        long from = request.HasFromUnixMs ? request.FromUnixMs : to - 3_600_000;
        Check(from < to, "the range must begin before it ends");
        return new HistoryScan(store, Parts.Settings, Parts.Topology, Parts.Mapping, Parts.Feedback.Of).Run(Selector.Parse(request.Selector), from, to, context.CancellationToken);
    });

    public override Task<ForecastResponse> Forecast(ForecastRequest request, ServerCallContext context) => InTurnAsync(context, () =>
    {
        Check(request.Selector.Length > 0, "a selector is needed");
        Check(!request.HasLimit || double.IsFinite(request.Limit), "the limit must be a number");
        return new StoredForecast(store, engine).Run(request, NowMs, CallerIdentity.Of(context).ToString(), context.CancellationToken);
    });

    public override Task<ForecastCapacityResponse> ForecastCapacity(ForecastCapacityRequest request, ServerCallContext context) => InTurnAsync(
        context, () => new StoredForecast(store, engine).Capacity(request, NowMs, CallerIdentity.Of(context).ToString(), context.CancellationToken));

    public void Dispose() => _scans.Dispose();

    private (Wire.Incident Wire, IReadOnlyList<NodeAgent.Detection.Finding> Findings, string Why, double Strictness) Known(ulong id) =>
        Desk.Find((long)id, NowMs) ?? throw new RpcException(new Status(StatusCode.NotFound, $"no incident {id} is known; the oldest that are over are forgotten"));

    private static async Task WriteAsync(IReadOnlyList<Wire.Incident> incidents, ulong missed, IServerStreamWriter<IncidentUpdate> responses, ServerCallContext context)
    {
        foreach (Wire.Incident incident in incidents)
        {
            await responses.WriteAsync(new IncidentUpdate { Incident = incident, UnixMs = incident.LastUnixMs, Missed = missed }, context.CancellationToken).ConfigureAwait(false);
            missed = 0;
        }
    }

    private static void MustBeDurable(bool isDurable)
    {
        if (!isDurable)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "it holds, but the incident journal's disk fails: it would not survive a restart"));
        }
    }

    private static void Check(bool isGood, string problem)
    {
        if (!isGood)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
        }
    }

    private async Task<T> InTurnAsync<T>(ServerCallContext context, Func<T> work)
    {
        await _scans.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        try
        {
            return await OnOwnThread(work).ConfigureAwait(false);
        }
        finally
        {
            _scans.Release();
        }
    }

    // A scan computes, an order waits for the disk: neither may hold up the sockets of the agents.
    private static Task<T> OnOwnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(() => Guard(work), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (QueryException e)
        {
            throw new RpcException(new Status(e.IsCallersMistake ? StatusCode.InvalidArgument : StatusCode.ResourceExhausted, e.Message));
        }
        catch (ArgumentException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }
}
