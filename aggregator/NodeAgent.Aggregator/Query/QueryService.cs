using System.Text.RegularExpressions;
using System.Threading.Channels;
using Grpc.Core;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Usage;
using NodeAgent.Rpc.Server;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Query;

/// <summary>
/// The gRPC adapter of the query engine and of what the fleet registry and the event ledger know. It translates and streams;
/// the engine decides. A PromQL adapter will stand beside it, not on it.
/// </summary>
internal sealed class QueryService(
    ITimeSeriesStore store, QueryEngine engine, IngestCore ingest, TimeProvider time, AggregatorFacts facts, UsageSettings? usage = null) : V1.Query.QueryBase
{
    private const int SeriesPerMessage = 500;
    private const int DefaultSeriesLimit = 10_000;
    private const int DefaultEventLimit = 100;
    private const int MostEvents = 10_000;
    private const int PointsAtOnce = 16 * 1024; // of range results: 128 KiB
    private const long DefaultRangeMs = 10 * 60_000;

    // A range without a step aims at this many points: about the columns of a wide terminal.
    private const long AutomaticPoints = 240;

    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(200);

    private const long DefaultUsageMs = 24 * 3_600_000L;

    private readonly UsageSettings _usage = usage ?? new UsageSettings();
    private readonly QueryThreads _threads = new();
    private readonly FleetRegistry _fleet = ingest.Fleet;
    private readonly EventLedger _events = ingest.Events;

    /// <summary>Asked for each status; null: there is no sink.</summary>
    internal Func<GetStatusResponse.Types.SinkStatus?> SinkStatus { get; init; } = () => null;

    /// <summary>Asked for each status; null: detection is switched off.</summary>
    internal Func<GetStatusResponse.Types.DetectionStatus?> DetectionStatus { get; init; } = () => null;

    /// <summary>Who held which GPU when, for usage by job; null: only series say.</summary>
    internal JobLedger? Jobs { get; init; }

    private long NowUnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context)
    {
        Regex? pattern = request.NamePattern.Length == 0 ? null : ParsePattern(request.NamePattern);
        long now = NowUnixMs;
        ListNodesResponse response = new() { WallUnixMs = now };
        response.Nodes.AddRange(_fleet.Nodes
            .Where(node => pattern is null || pattern.IsMatch(node.Name))
            .OrderBy(node => node.Name, StringComparer.Ordinal)
            .Select(node => ToWire(node, now)));
        return Task.FromResult(response);
    }

    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context)
    {
        FleetNode node = _fleet.Find(request.Name)
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"no node named '{request.Name}' has ever connected"));
        long now = NowUnixMs;
        GetNodeResponse response = new() { Node = ToWire(node, now), Inventory = node.Inventory, WallUnixMs = now };
        foreach (SchemaHandle schema in store.Schemas(node.Name))
        {
            response.Samplers.Add(new GetNodeResponse.Types.SamplerState
            {
                Name = schema.Sampler,
                Series = (uint)schema.Series.Count,
                IntervalMs = (uint)schema.IntervalMs,
                LastFrameUnixMs = schema.NewestUnixMs,
            });
        }

        return Task.FromResult(response);
    }

    public override async Task ListSeries(ListSeriesRequest request, IServerStreamWriter<ListSeriesResponse> responses, ServerCallContext context)
    {
        int limit = request.Limit == 0 ? DefaultSeriesLimit : (int)Math.Min(request.Limit, int.MaxValue);
        SeriesSelection selection = Guard(() => store.Select(QueryMapping.ToSelector(request.Selector), 0, long.MaxValue, limit));
        using ISampleReader reader = store.OpenReader();
        ListSeriesResponse batch = new();
        foreach (SeriesInfo series in selection.Series)
        {
            SeriesEntry entry = QueryMapping.ToWire(series);
            if (reader.TryReadNewest(series, long.MaxValue, out long unixMs, out double value))
            {
                entry.LastValue = value;
                entry.LastUnixMs = unixMs;
            }

            batch.Series.Add(entry);
            if (batch.Series.Count == SeriesPerMessage)
            {
                await responses.WriteAsync(batch, context.CancellationToken).ConfigureAwait(false);
                batch = new ListSeriesResponse();
            }
        }

        batch.Total = (ulong)selection.Total;
        await responses.WriteAsync(batch, context.CancellationToken).ConfigureAwait(false);
    }

    public override Task<QueryResponse> Instant(InstantRequest request, ServerCallContext context)
    {
        long at = request.HasAtUnixMs ? request.AtUnixMs : NowUnixMs;
        return OnOwnThread(() => QueryMapping.ToWire(
            engine.Instant(QueryMapping.ToPlan(request.Query), at, CallerOf(context), context.CancellationToken)));
    }

    public override Task<QueryResponse> TopK(TopKRequest request, ServerCallContext context)
    {
        long at = request.HasAtUnixMs ? request.AtUnixMs : NowUnixMs;
        int k = request.K == 0 ? 10 : (int)Math.Min(request.K, int.MaxValue);
        return OnOwnThread(() => QueryMapping.ToWire(
            engine.TopK(QueryMapping.ToPlan(request.Query), k, request.Bottom, at, CallerOf(context), context.CancellationToken)));
    }

    public override async Task Range(RangeRequest request, IServerStreamWriter<RangeResponse> responses, ServerCallContext context)
    {
        long end = request.HasEndUnixMs ? request.EndUnixMs : NowUnixMs;
        long start = request.HasStartUnixMs ? request.StartUnixMs : end - DefaultRangeMs;
        long step = request.StepMs == 0 ? AutomaticStepMs(end - start) : (long)Math.Min(request.StepMs, long.MaxValue);
        using RangeExecution execution = Guard(() => engine.Range(
            QueryMapping.ToPlan(request.Query), start, end, step, CallerOf(context), context.CancellationToken));
        using IEnumerator<RangeSeries> series = execution.GetEnumerator();

        // The cost is known only at the end and goes on the last message, so each message waits for the next one to be found.
        RangeResponse? waiting = null;
        List<RangeSeries> some = [];
        for (bool isMore = true; isMore;)
        {
            isMore = await OnOwnThread(() => TakeSome(series, some)).ConfigureAwait(false);
            foreach (RangeSeries one in some)
            {
                if (waiting is not null)
                {
                    await responses.WriteAsync(waiting, context.CancellationToken).ConfigureAwait(false);
                }

                waiting = QueryMapping.ToWire(one);
            }
        }

        waiting ??= new RangeResponse { StartUnixMs = start, StepMs = (ulong)step };
        waiting.Cost = QueryMapping.ToWire(execution.Cost);
        await responses.WriteAsync(waiting, context.CancellationToken).ConfigureAwait(false);
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responses, ServerCallContext context)
    {
        if (request.Selector.Length == 0)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "watch needs a selector: a whole fleet is never watched by accident"));
        }

        Selector selector = Guard(() => Selector.Parse(request.Selector));
        LiveOptions options = new() { MinIntervalMs = (int)Math.Min(request.MinIntervalMs, int.MaxValue) };
        using LiveSubscription subscription = store.Subscribe(selector, options);
        LiveSample[] samples = new LiveSample[1024];
        HashSet<int> announced = [];
        while (true)
        {
            await subscription.WaitAsync(context.CancellationToken).ConfigureAwait(false);
            int count = subscription.Drain(samples, out long lost);
            WatchResponse response = new() { LostSamples = (ulong)lost };
            foreach (LiveSample sample in samples.AsSpan(0, count))
            {
                Announce(response, announced, sample);
                response.Samples.Add(new WatchResponse.Types.WatchedSample
                {
                    Index = (uint)sample.Index,
                    UnixMs = sample.UnixMs,
                    Value = sample.Value,
                });
            }

            await responses.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task ListEvents(ListEventsRequest request, IServerStreamWriter<ListEventsResponse> responses, ServerCallContext context)
    {
        int limit = request.Limit == 0 ? DefaultEventLimit : (int)Math.Min(request.Limit, MostEvents);
        bool Passes(LedgerEntry entry) =>
            (request.Node.Length == 0 || entry.Node == request.Node)
            && (request.Kinds.Count == 0 || request.Kinds.Contains(entry.Event.Kind))
            && entry.Event.Severity >= request.MinSeverity
            && (!request.HasSinceUnixMs || entry.Event.WallUnixMs >= request.SinceUnixMs);

        if (!request.Follow)
        {
            await WriteAllAsync(_events.Newest(limit, Passes), responses, context).ConfigureAwait(false);
            return;
        }

        List<LedgerEntry> past = _events.Follow(limit, Passes, out Channel<LedgerEntry> channel);
        try
        {
            await WriteAllAsync(past, responses, context).ConfigureAwait(false);
            await foreach (LedgerEntry entry in channel.Reader.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
            {
                if (Passes(entry))
                {
                    await responses.WriteAsync(ToWire(entry), context.CancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _events.Unfollow(channel);
        }
    }

    public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) => Task.FromResult(Status());

    /// <summary>The aggregator's own state now.</summary>
    internal GetStatusResponse Status()
    {
        StoreStats stats = store.Stats();
        long now = NowUnixMs;
        return new GetStatusResponse
        {
            Version = facts.Version,
            StartedUnixMs = facts.StartedUnixMs,
            WallUnixMs = now,
            Nodes = (ulong)_fleet.Count,
            LiveNodes = (ulong)_fleet.Nodes.Count(node => node.StateAt(now) == NodeState.Live),
            Series = (ulong)stats.Series,
            SamplesTotal = (ulong)ingest.Counters.Samples, // what the log brought back after a restart is no work of this run
            FramesTotal = (ulong)ingest.Counters.Frames,
            RejectedRecordsTotal = (ulong)ingest.Counters.RejectedRecords,
            DuplicateRecordsTotal = (ulong)ingest.Counters.DuplicateRecords,
            OldestUnixMs = stats.OldestUnixMs,
            StoreBytes = (ulong)(store is DurableStore ? stats.DiskBytes : stats.Bytes),
            StoreLimitBytes = (ulong)(stats.MaxBytes == long.MaxValue ? 0 : stats.MaxBytes),
            EvictedSamplesTotal = (ulong)stats.SamplesEvictedByBytes,
            AllocatedBytesTotal = (ulong)GC.GetTotalAllocatedBytes(),
            Ingest = IngestStatus.OfIngest(ingest, stats),
            Log = IngestStatus.OfLog(ingest),
            Admission = AdmissionStatus.Of(facts.Admission),
            Storage = store is DurableStore durable ? StorageMapping.ToWire(durable.Storage(), stats) : null,
            Sink = SinkStatus(),
            Detection = DetectionStatus(),
        };
    }

    public override Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context)
    {
        UsageQuestion question = UsageMapping.ToQuestion(request, _usage, NowUnixMs, DefaultUsageMs);
        return OnOwnThread(() => UsageMapping.ToWire(
            new UsageCalculator(engine, Jobs).Run(question, CallerOf(context), context.CancellationToken), question, _usage));
    }

    private static string CallerOf(ServerCallContext context) => CallerIdentity.Of(context).ToString();

    private static long AutomaticStepMs(long rangeMs) => Math.Max(1_000, (rangeMs / AutomaticPoints + 999) / 1_000 * 1_000);

    private static Regex ParsePattern(string pattern)
    {
        const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
        try
        {
            // Checked alone first: wrapped in a group, "a)|(b" would be accepted and match parts of names.
            _ = new Regex(pattern, Options, PatternTimeout);
            return new Regex($@"\A(?:{pattern})\z", Options, PatternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"name pattern '{pattern}': {e.Message}"));
        }
    }

    private static void Announce(WatchResponse response, HashSet<int> announced, in LiveSample sample)
    {
        if (!announced.Add(sample.Index))
        {
            return;
        }

        WatchResponse.Types.WatchedSeries series = new()
        {
            Index = (uint)sample.Index,
            Metric = sample.Series.Metric,
            Unit = sample.Series.Unit,
        };
        QueryMapping.AddLabels(series.Labels, sample.Series.Labels);
        response.Series.Add(series);
    }

    private static async Task WriteAllAsync(
        List<LedgerEntry> entries, IServerStreamWriter<ListEventsResponse> responses, ServerCallContext context)
    {
        foreach (LedgerEntry entry in entries)
        {
            await responses.WriteAsync(ToWire(entry), context.CancellationToken).ConfigureAwait(false);
        }
    }

    private static ListEventsResponse ToWire(LedgerEntry entry) =>
        new() { Node = entry.Node, Event = entry.Event, ReceivedUnixMs = entry.ReceivedUnixMs };

    private Node ToWire(FleetNode node, long now)
    {
        int series = 0;
        foreach (SchemaHandle schema in store.Schemas(node.Name))
        {
            series += schema.Series.Count;
        }

        return new Node
        {
            Name = node.Name,
            State = node.StateAt(now),
            AgentVersion = node.AgentVersion,
            BootId = node.BootId,
            LastFrameUnixMs = node.LastFrameUnixMs,
            LastReceivedUnixMs = node.LastReceivedUnixMs,
            Series = (uint)series,
            DroppedRecords = node.DroppedRecords,
            ClockOffsetMs = node.ClockOffsetMs,
            Clock = node.Clock,
            FirstReceivedUnixMs = node.FirstReceivedUnixMs,
            ThinnedRecords = node.ThinnedRecords,
            ClockCorrectionMs = node.ClockCorrectionMs,
            QuarantinedRecords = (ulong)node.QuarantinedRecords,
        };
    }

    /// <summary>The next series: as many as fit a few messages, since each call has a thread of its own. False: there are no more.</summary>
    private static bool TakeSome(IEnumerator<RangeSeries> series, List<RangeSeries> some)
    {
        some.Clear();
        for (int points = 0; points < PointsAtOnce; points += some[^1].Values.Length)
        {
            if (!series.MoveNext())
            {
                return false;
            }

            some.Add(series.Current);
        }

        return true;
    }

    private Task<T> OnOwnThread<T>(Func<T> query) => _threads.Run(() => Guard(query));

    // The engine's errors are sentences for the person who asked; they travel as they are.
    private static T Guard<T>(Func<T> query)
    {
        try
        {
            return query();
        }
        catch (QueryException e)
        {
            StatusCode code = e.Kind == QueryErrorKind.RemoteEngine ? StatusCode.Unavailable
                : e.IsCallersMistake ? StatusCode.InvalidArgument
                : StatusCode.ResourceExhausted;
            throw new RpcException(new Status(code, e.Message));
        }
    }
}

/// <summary>What the aggregator says of itself.</summary>
internal sealed record AggregatorFacts(string Version, long StartedUnixMs, RpcAdmission Admission);
