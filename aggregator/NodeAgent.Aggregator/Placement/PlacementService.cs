using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Placement;

/// <summary>The gRPC adapter of the desk: it translates, the desk decides.</summary>
internal sealed class PlacementService(PlacementDesk desk) : V1.Placement.PlacementBase, IDisposable
{
    private const int MostRequests = 1_000;
    private const int MostRanked = 10_000;
    private const int DefaultRanked = 100;
    private const int MostAdded = 10_000;
    private const int MostSteps = 1_000_000;

    // Each has an engine of its own and a core to itself; the rest wait their turn, as long as their deadline.
    private const int MostQuestions = 4;

    private readonly SemaphoreSlim _questions = new(MostQuestions);

    public override Task<Wire.PlaceResponse> Place(Wire.PlaceRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        PlacementRequest asked = PlacementMapping.ToRequest(request.Request);
        return new Wire.PlaceResponse { Decision = request.DryRun ? DryRun([asked], [], explain: true)[0] : ToWire(desk.Place(asked)) };
    });

    public override Task<Wire.PlaceBatchResponse> PlaceBatch(Wire.PlaceBatchRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        PlacementMapping.Check(request.Requests.Count > 0, "at least one request is needed");
        PlacementRequest[] asked = Requests(request.Requests);
        Wire.PlaceBatchResponse response = new();
        response.Decisions.AddRange(request.DryRun ? DryRun(asked, [], explain: false) : desk.PlaceBatch(asked, explain: false).Select(ToWire));
        return response;
    });

    public override Task<Wire.CommitResponse> Commit(Wire.CommitRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        PlacementMapping.Check(request.Token.Length > 0, "a token is needed");
        (CommitResult result, string job) = desk.Commit(request.Token);
        return new Wire.CommitResponse { Verdict = (Wire.CommitVerdict)((int)result + 1), Job = result == CommitResult.Committed ? job : "" };
    });

    public override Task<Wire.ReleaseResponse> Release(Wire.ReleaseRequest request, ServerCallContext context) => OnOwnThread(() => desk.Release(request.Job)
        ? new Wire.ReleaseResponse()
        : throw new RpcException(new Status(StatusCode.NotFound, $"job '{request.Job}' holds nothing")));

    public override Task<Wire.WhatIfResponse> WhatIf(Wire.WhatIfRequest request, ServerCallContext context) => QuestionAsync(context, () =>
    {
        PlacementRequest[] asked = Requests(request.Requests);
        Wire.WhatIfResponse response = new();
        response.Decisions.AddRange(DryRun(asked, request.Mutations, explain: asked.Length == 1));
        if (request.ComparePolicies && asked.Length > 0)
        {
            (PlacementEngine engine, DateTimeOffset now, IReadOnlyList<PlacementRequest> resolved) = desk.Ask(asked);
            response.Policies.AddRange(engine.Pareto(resolved, now).Select(PlacementMapping.ToWire));
        }

        return response;
    });

    public override Task<Wire.MovePlan> PlanDrain(Wire.PlanDrainRequest request, ServerCallContext context) => QuestionAsync(context, () =>
    {
        (PlacementEngine engine, _, _) = desk.Ask();
        MustKnow(engine, request.Node);
        return PlacementMapping.ToWire(engine.PlanDrain(request.Node, Or(request.Budget, int.MaxValue)));
    });

    public override Task<Wire.MovePlan> PlanRebalance(Wire.PlanRebalanceRequest request, ServerCallContext context) => QuestionAsync(context, () =>
    {
        PlacementMapping.Check(double.IsFinite(request.MovePriceMilli) && request.MovePriceMilli >= 0, "move_price_milli: a price of 0 or more is needed");
        PlacementMapping.Check(request.Steps <= MostSteps, $"steps: more than {MostSteps}");
        (PlacementEngine engine, _, _) = desk.Ask();
        return PlacementMapping.ToWire(engine.PlanRebalance(
            request.MovePriceMilli == 0 ? 100 : request.MovePriceMilli, Or(request.Budget, 50), Or(request.Steps, 2_000), request.Seed == 0 ? 1 : request.Seed));
    });

    public override Task<Wire.MovePlan> PlanRoom(Wire.PlanRoomRequest request, ServerCallContext context) => QuestionAsync(context, () =>
    {
        PlacementRequest asked = PlacementMapping.ToRequest(request.Request);
        PlacementMapping.Check(asked.Ask.MigProfile is null, "partitions do not move, so no room can be made for one");
        (PlacementEngine engine, _, IReadOnlyList<PlacementRequest> resolved) = desk.Ask(asked);
        return PlacementMapping.ToWire(engine.PlanRoom(resolved[0], Or(request.Budget, 64)));
    });

    public override Task<Wire.ApplyResponse> Apply(Wire.ApplyRequest request, ServerCallContext context) => OnOwnThread(() => desk.Apply(PlacementMapping.ToPlan(request.Plan))
        ? new Wire.ApplyResponse { Moved = (uint)request.Plan.Moves.Count }
        : throw new RpcException(new Status(StatusCode.FailedPrecondition, "the plan is out of date: a replica is no longer where it says, or its target does not take it; nothing was moved")));

    public override Task<Wire.AdviseScaleResponse> AdviseScale(Wire.AdviseScaleRequest request, ServerCallContext context) => OnOwnThread(() =>
    {
        TimeSpan window = request.WindowMs == 0 ? TimeSpan.FromDays(1) : TimeSpan.FromMilliseconds(Math.Min(request.WindowMs, 366UL * 24 * 3_600_000));
        Wire.AdviseScaleResponse response = new();
        response.Advice.AddRange(desk.AdviseScale(window).Select(PlacementMapping.ToWire));
        return response;
    });

    public override Task<Wire.ListJobsResponse> ListJobs(Wire.ListJobsRequest request, ServerCallContext context)
    {
        bool withTokens = CallerIdentity.Of(context).Role is FleetRole.Operator or FleetRole.Admin;
        return OnOwnThread(() =>
        {
            PlacementBooks books = desk.Books();
            Wire.ListJobsResponse response = new() { Nodes = (uint)books.Nodes, Version = (ulong)books.Version, WallUnixMs = books.Now.ToUnixTimeMilliseconds() };
            response.Jobs.AddRange(books.Jobs.Where(job => request.Job.Length == 0 || job.Request.Job == request.Job).Select(job => PlacementMapping.ToWire(job, withTokens, desk.Uuids)));
            response.UnknownNodes.AddRange(books.Unknown.Select(node => new Wire.UnknownNode { Name = node.Name, Reason = node.Unknown }));
            response.Cordoned.AddRange(books.Cordoned);
            return response.Jobs.Count > 0 || request.Job.Length == 0 ? response : throw new RpcException(new Status(StatusCode.NotFound, $"there is no job '{request.Job}'"));
        });
    }

    public override Task<Wire.RankNodesResponse> RankNodes(Wire.RankNodesRequest request, ServerCallContext context) => QuestionAsync(context, () =>
    {
        PlacementMapping.Check(request.Limit <= MostRanked, $"limit: more than {MostRanked}");
        (PlacementEngine engine, _, IReadOnlyList<PlacementRequest> resolved) = desk.Ask(PlacementMapping.ToRequest(request.Request));
        Wire.RankNodesResponse response = new();
        response.Nodes.AddRange(engine.Rank(resolved[0], request.Nodes.Count == 0 ? null : [.. request.Nodes], Or(request.Limit, DefaultRanked))
            .Select(node => new Wire.RankNodesResponse.Types.RankedNode { Node = node.Node, Score = node.Score, Devices = { PlacementMapping.Unsigned(node.Devices) } }));
        foreach (string name in request.Nodes.Distinct())
        {
            if (engine.Rejects(resolved[0], name) is { } reason)
            {
                response.Rejected.Add(new Wire.RankNodesResponse.Types.RejectedNode { Node = name, Reason = reason });
            }
        }

        return response;
    });

    public override Task<Wire.CordonResponse> Cordon(Wire.CordonRequest request, ServerCallContext context) => OnOwnThread(() => desk.Cordon(request.Node, request.Cordoned)
        ? new Wire.CordonResponse()
        : throw new RpcException(new Status(StatusCode.NotFound, $"placement knows no node '{request.Node}'")));

    private IReadOnlyList<Wire.Decision> DryRun(PlacementRequest[] asked, IEnumerable<Wire.Mutation> mutations, bool explain)
    {
        (PlacementEngine engine, DateTimeOffset now, IReadOnlyList<PlacementRequest> resolved) = desk.Ask(asked);
        Mutation[] changes = [.. mutations.Select(mutation => ToMutation(mutation, engine))];
        return [.. engine.WhatIf(resolved, changes, now, explain).Select(decision => ToWire(decision with { Token = "" }))];
    }

    private static Mutation ToMutation(Wire.Mutation wire, PlacementEngine engine)
    {
        switch (wire.ChangeCase)
        {
            case Wire.Mutation.ChangeOneofCase.NodeDown:
                MustKnow(engine, wire.NodeDown);
                return new Mutation.NodeDown(wire.NodeDown);
            case Wire.Mutation.ChangeOneofCase.AddNodes:
                NodeSpec like = MustKnow(engine, wire.AddNodes.Like);
                PlacementMapping.Check(wire.AddNodes.Count is > 0 and <= MostAdded, $"add_nodes: 1 to {MostAdded} nodes can be assumed");
                return new Mutation.AddNodes([.. Enumerable.Range(1, (int)wire.AddNodes.Count).Select(number => Added(like, number, engine))]);
            case Wire.Mutation.ChangeOneofCase.JobEnds:
                return engine.Find(wire.JobEnds) is not null ? new Mutation.JobEnds(wire.JobEnds) : throw new RpcException(new Status(StatusCode.NotFound, $"there is no job '{wire.JobEnds}'"));
            case Wire.Mutation.ChangeOneofCase.UsePolicy:
                return new Mutation.UsePolicy(PlacementMapping.Policy(wire.UsePolicy));
            case Wire.Mutation.ChangeOneofCase.Cordon:
                MustKnow(engine, wire.Cordon);
                return new Mutation.Condition(wire.Cordon, new NodeCondition(NodeFilter.Cordoned, 0, 0));
            default:
                throw new ArgumentException("a mutation says nothing");
        }
    }

    // Names that no node has: a plus sign is in no certificate's name.
    private static NodeSpec Added(NodeSpec like, int number, PlacementEngine engine) =>
        like with { Name = $"{like.Name}+{number}", Place = new NetworkPlace(engine.State.Count + number, like.Place.Rack, like.Place.Leaf) };

    private static NodeSpec MustKnow(PlacementEngine engine, string node) => engine.State.Catalog.Find(node) is var number && number >= 0
        ? engine.State.Catalog.Nodes[number]
        : throw new RpcException(new Status(StatusCode.NotFound, $"placement knows no node '{node}'; `nodectl jobs` lists nodes that are seen but not known"));

    private static PlacementRequest[] Requests(Google.Protobuf.Collections.RepeatedField<Wire.JobRequest> wire) => wire.Count <= MostRequests
        ? [.. wire.Select(PlacementMapping.ToRequest)]
        : throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{wire.Count} requests are more than {MostRequests} in one call"));

    private static int Or(uint value, int otherwise) => value == 0 ? otherwise : (int)Math.Min(value, int.MaxValue);

    private Wire.Decision ToWire(PlacementDecision decision) => PlacementMapping.ToWire(decision, desk.Uuids, desk.UnknownNodes());

    public void Dispose() => _questions.Dispose();

    private async Task<T> QuestionAsync<T>(ServerCallContext context, Func<T> work)
    {
        await _questions.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        try
        {
            return await OnOwnThread(work).ConfigureAwait(false);
        }
        finally
        {
            _questions.Release();
        }
    }

    // A plan computes, a commit waits for the disk: neither may hold up the sockets of the agents.
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
        catch (FleetUnknownException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
        catch (PlacementJournalException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
        }
    }
}
