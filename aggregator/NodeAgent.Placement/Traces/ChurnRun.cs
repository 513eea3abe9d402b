using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Traces;

/// <summary>What a churn run shows, over the time after the warm-up.</summary>
/// <param name="Allocation">Time average of GPU allocation, percent.</param>
/// <param name="Blocked">Percent of the offered GPU demand that was refused.</param>
/// <param name="MovesPer100">Replicas moved per 100 placed.</param>
/// <param name="Placed">Placements in all, warm-up included.</param>
public readonly record struct ChurnResult(double Allocation, double Blocked, double MovesPer100, int Placed);

/// <summary>
/// The steady-state test: Poisson arrivals drawn from a trace, exponential lifetimes of mean 1, refused requests are lost.
/// Winning the inflation test does not imply winning this one.
/// </summary>
/// <param name="book">An empty fleet.</param>
/// <param name="place">The policy.</param>
/// <param name="repair">Makes room by moves; null: no moves.</param>
public sealed class ChurnRun(FleetBook book, Func<Demand, Choice> place, Func<Demand, (Choice Place, Move? Move)>? repair = null)
{
    private const double WarmUpShare = 0.4;

    private readonly PriorityQueue<long, double> _departures = new();
    private readonly Dictionary<long, int> _running = [];

    /// <summary>Called with each arrival.</summary>
    public Action<Demand>? OnArrival { get; init; }

    /// <param name="pods">What arrives, equally likely.</param>
    /// <param name="load">Offered GPU demand over capacity.</param>
    /// <param name="lifetimes">Length of the run, in mean lifetimes.</param>
    /// <param name="seed">Of arrivals and lifetimes.</param>
    /// <param name="check">Called after each event with the book; null: not checked.</param>
    public ChurnResult Run(IReadOnlyList<Demand> pods, double load, double lifetimes, ulong seed, Action<FleetBook>? check = null)
    {
        var random = new SplitMix(seed);
        long capacity = book.State.Catalog.GpuMilli;
        double rate = load * capacity / pods.Average(pod => (double)pod.TotalGpuMilli);
        double warm = lifetimes * WarmUpShare;
        double now = 0, area = 0, offered = 0, refused = 0;
        long used = 0;
        int placed = 0, moves = 0;
        for (long owner = 0; ; owner++)
        {
            double next = now + (random.NextExponential() / rate);
            while (_departures.TryPeek(out long leaving, out double at) && at <= Math.Min(next, lifetimes))
            {
                _departures.Dequeue();
                area += used * Math.Max(0, at - Math.Max(now, warm));
                now = at;
                used -= Leave(leaving);
                check?.Invoke(book);
            }

            area += used * Math.Max(0, Math.Min(next, lifetimes) - Math.Max(now, warm));
            now = next;
            if (now >= lifetimes)
            {
                break;
            }

            Demand demand = pods[random.Next(pods.Count)];
            double life = random.NextExponential();
            offered += now > warm ? demand.TotalGpuMilli : 0;
            if (TryArrive(owner, demand, ref moves))
            {
                placed++;
                used += demand.TotalGpuMilli;
                _departures.Enqueue(owner, now + life);
            }
            else
            {
                refused += now > warm ? demand.TotalGpuMilli : 0;
            }

            check?.Invoke(book);
        }

        return new ChurnResult(100 * area / (capacity * (lifetimes - warm)), 100 * refused / offered, 100.0 * moves / placed, placed);
    }

    private bool TryArrive(long owner, Demand demand, ref int moves)
    {
        OnArrival?.Invoke(demand);
        Choice choice = place(demand);
        if (!choice.Found && repair is not null)
        {
            (choice, Move? move) = repair(demand);
            if (move is { } moved)
            {
                moves++;
                _running[moved.Owner] = moved.NewAllocation;
            }
        }

        if (choice.Found)
        {
            _running[owner] = book.Take(owner, choice.Node, demand, choice.Lanes);
        }

        book.Settle();
        return choice.Found;
    }

    private int Leave(long owner)
    {
        _running.Remove(owner, out int number);
        int milli = book.Allocations[number].Demand.TotalGpuMilli;
        book.Release(number);
        book.Settle();
        return milli;
    }
}
