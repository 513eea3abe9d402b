using System.Runtime.CompilerServices;
using NodeAgent.Ctl.Connection;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>An aggregator that answers what a test scripted and remembers what it was asked.</summary>
internal sealed partial class ScriptedFleet : IFleet
{
    public ListNodesResponse Nodes { get; set; } = SampleFleet.Nodes();
    public Func<GetNodeRequest, GetNodeResponse> Node { get; set; } = SampleFleet.Node;
    public IReadOnlyList<ListSeriesResponse> Series { get; set; } = SampleFleet.Series();
    public Func<InstantRequest, QueryResponse> Instant { get; set; } = _ => SampleFleet.Loads();
    public IReadOnlyList<RangeResponse> Ranges { get; set; } = SampleFleet.Ranges();
    public IReadOnlyList<WatchResponse> Watched { get; set; } = SampleFleet.Watched();
    public IReadOnlyList<ListEventsResponse> Events { get; set; } = SampleFleet.Events();
    public GetStatusResponse Status { get; set; } = SampleFleet.Status();
    public UsageResponse Usage { get; set; } = SampleFleet.Usage();
    public IReadOnlyList<BackupUpdate> Backups { get; set; } = SampleFleet.Backup();
    public string Health { get; set; } = "SERVING";

    /// <summary>Thrown by every call while set.</summary>
    public Exception? Failure { get; set; }

    public List<object> Requests { get; } = [];

    public T Last<T>() => Requests.OfType<T>().Last();

    public Task<ListNodesResponse> ListNodesAsync(ListNodesRequest request, CancellationToken cancellation) => Answer(request, () => Nodes);

    public Task<GetNodeResponse> GetNodeAsync(GetNodeRequest request, CancellationToken cancellation) => Answer(request, () => Node(request));

    public IAsyncEnumerable<ListSeriesResponse> ListSeriesAsync(ListSeriesRequest request, CancellationToken cancellation) => Stream(request, Series, cancellation);

    public Task<QueryResponse> InstantAsync(InstantRequest request, CancellationToken cancellation) => Answer(request, () => Instant(request));

    public IAsyncEnumerable<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellation) => Stream(request, Ranges, cancellation);

    public Task<QueryResponse> TopKAsync(TopKRequest request, CancellationToken cancellation) => Answer(request, SampleFleet.Loads);

    public IAsyncEnumerable<WatchResponse> WatchAsync(WatchRequest request, CancellationToken cancellation) => Stream(request, Watched, cancellation);

    public IAsyncEnumerable<ListEventsResponse> ListEventsAsync(ListEventsRequest request, CancellationToken cancellation) => Stream(request, Events, cancellation);

    public Task<GetStatusResponse> GetStatusAsync(GetStatusRequest request, CancellationToken cancellation) => Answer(request, () => Status);

    public Task<UsageResponse> UsageAsync(UsageRequest request, CancellationToken cancellation) => Answer(request, () => Usage);

    public IAsyncEnumerable<BackupUpdate> BackupAsync(BackupRequest request, CancellationToken cancellation) => Stream(request, Backups, cancellation);

    public Task<string> CheckHealthAsync(CancellationToken cancellation) => Answer("health", () => Health);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<T> Answer<T>(object request, Func<T> answer)
    {
        lock (Requests) Requests.Add(request);
        try
        {
            return Failure is null ? Task.FromResult(answer()) : Task.FromException<T>(Failure);
        }
        catch (CtlException refused)
        {
            return Task.FromException<T>(refused);
        }
    }

    private async IAsyncEnumerable<T> Stream<T>(object request, IReadOnlyList<T> parts, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Requests.Add(request);
        if (Failure is not null) throw Failure;
        foreach (T part in parts)
        {
            cancellation.ThrowIfCancellationRequested();
            await Task.Yield();
            yield return part;
        }
    }
}
