using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Traces;

/// <summary>One placement of a run, for the checker.</summary>
/// <param name="Pod">Which request of the run, in order of arrival.</param>
/// <param name="Node">Node number; −1: refused.</param>
/// <param name="Lanes">Devices.</param>
/// <param name="MovedFrom">−1: a new placement; otherwise the pod came from this node.</param>
public readonly record struct Placed(int Pod, int Node, uint Lanes, int MovedFrom = -1);

/// <summary>What an inflation run shows.</summary>
/// <param name="Curve">Allocation against arrived load.</param>
/// <param name="FirstFailureLoad">Arrived load in percent when the first request was refused; NaN: none was.</param>
/// <param name="BigRefusedBefore90">GPUs of requests for two or more that were refused before 90 % had arrived.</param>
/// <param name="Moves">Replicas moved by repair.</param>
public sealed record InflationResult(AllocationCurve Curve, double FirstFailureLoad, double BigRefusedBefore90, int Moves);

/// <summary>
/// The inflation test of FGD: requests arrive in order, each is placed if any node fits, nothing leaves.
/// </summary>
/// <param name="book">An empty fleet.</param>
/// <param name="place">The policy.</param>
/// <param name="repair">Makes room by moves for a request that fits nowhere; null: no moves.</param>
public sealed class InflationRun(FleetBook book, Func<Demand, Choice> place, Func<Demand, (Choice Place, Move? Move)>? repair = null)
{
    private readonly long _capacity = book.State.Catalog.GpuMilli;

    /// <summary>Called before each arrival with its demand: online learning sees what arrives, never what will.</summary>
    public Action<Demand>? OnArrival { get; init; }

    /// <summary>Runs the arrivals.</summary>
    /// <param name="arrivals">Demands in order.</param>
    /// <param name="journal">Receives each placement; null: not wanted.</param>
    public InflationResult Run(IReadOnlyList<Demand> arrivals, List<Placed>? journal = null)
    {
        var curve = new AllocationCurve(_capacity);
        long arrived = 0, used = 0;
        double firstFailure = double.NaN, bigRefused = 0;
        int moves = 0;
        for (int pod = 0; pod < arrivals.Count; pod++)
        {
            Demand demand = arrivals[pod];
            OnArrival?.Invoke(demand);
            arrived += demand.TotalGpuMilli;
            Choice choice = place(demand);
            if (!choice.Found && repair is not null)
            {
                (choice, Move? move) = repair(demand);
                if (move is { } moved)
                {
                    moves++;
                    journal?.Add(new Placed((int)moved.Owner, moved.To, moved.Lanes, moved.From));
                }
            }

            if (choice.Found)
            {
                book.Take(pod, choice.Node, demand, choice.Lanes);
                used += demand.TotalGpuMilli;
            }
            else
            {
                double load = 100.0 * arrived / _capacity;
                firstFailure = double.IsNaN(firstFailure) ? load : firstFailure;
                bigRefused += load < 90 && demand.GpuCount >= 2 ? demand.GpuCount : 0;
            }

            book.Settle();
            journal?.Add(new Placed(pod, choice.Node, choice.Lanes));
            curve.Add(arrived, used);
        }

        return new InflationResult(curve, firstFailure, bigRefused, moves);
    }
}
