using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Engine;

/// <summary>What found no room, by shape: the evidence for more nodes. Kept for as long as it is asked for, at most so many.</summary>
internal sealed class RefusedDemand
{
    // A day of refusals at one a second; older ones go first.
    private const int Kept = 86_400;

    private readonly Queue<(Demand Demand, ResourceAsk Ask, int Replicas, DateTimeOffset At)> _refused = new();

    public void Add(Demand demand, ResourceAsk ask, int replicas, DateTimeOffset now)
    {
        if (_refused.Count == Kept)
        {
            _refused.Dequeue();
        }

        _refused.Enqueue((demand, ask, replicas, now));
    }

    /// <summary>Replicas refused since a time, by demand.</summary>
    public IReadOnlyList<(Demand Demand, int Count)> Since(DateTimeOffset since) =>
        [.. _refused.Where(entry => entry.At >= since).GroupBy(entry => entry.Demand).Select(group => (group.Key, group.Sum(entry => entry.Replicas)))
            .OrderByDescending(entry => (long)entry.Item2 * entry.Key.TotalGpuMilli).ThenBy(entry => entry.Key.CpuMilli)];

    /// <summary>All of it, gathered by demand and hour: what another engine needs to give the same advice, in few words.</summary>
    public IEnumerable<RefusedAsk> ByHour() =>
        _refused.GroupBy(entry => (entry.Demand, Hour: entry.At.UtcTicks / TimeSpan.TicksPerHour))
            .Select(group => new RefusedAsk(group.First().Ask, group.Sum(entry => entry.Replicas), group.Max(entry => entry.At)));
}

/// <summary>Replicas that found no room.</summary>
/// <param name="Ask">What each needed.</param>
/// <param name="Replicas">How many.</param>
/// <param name="At">When, the last of them.</param>
public sealed record RefusedAsk(ResourceAsk Ask, int Replicas, DateTimeOffset At);
