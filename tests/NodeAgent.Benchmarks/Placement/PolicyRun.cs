using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Traces;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// A policy by its name on the command line: a <see cref="PolicyName"/>, with "+repair" (one move for a request that fits nowhere) and
/// "+online" (the mix is learned from arrivals, with the prior on large shapes, instead of known).
/// </summary>
internal sealed class PolicyRun
{
    // "At most 5 moves per 100 placements" is the operator's budget in the steady-state target; unused budget is kept up to 50 moves.
    private const double MovesPerPlacement = 0.05;
    private const double BudgetKept = 50;

    private readonly FleetBook _book;
    private readonly bool _repairs;
    private readonly OnlineMix? _online;
    private readonly PolicyName _name;
    private PlacementSearch? _search;
    private OneMoveRepair? _repair;
    private double _budget;

    internal PolicyRun(string name, FleetBook book, TracePod[] pods, int seed)
    {
        string[] parts = name.Split('+');
        _book = book;
        _name = Enum.Parse<PolicyName>(parts[0], ignoreCase: true);
        _repairs = parts.Contains("repair");
        FleetCatalog catalog = book.State.Catalog;
        _online = parts.Contains("online") ? new OnlineMix(OnlineMix.LargePrior(catalog, 500)) : null;
        if (_name == PolicyName.Random)
        {
            Place = Random(new RandomSearch(book.State, (ulong)seed));
            return;
        }

        WorkloadMix mix = _online?.Build() ?? new WorkloadMix(PlacementData.Demands(pods, catalog).Select(demand => (demand, 1.0)));
        Use(mix, _online is null ? TypicalPods.Of(pods, catalog) : null);
        Place = Find;
    }

    internal Func<Demand, Choice> Place { get; }

    internal PlacementSearch? Search => _search;

    internal Func<Demand, (Choice Place, Move? Move)>? Repair => _repairs ? TryRepair : null;

    internal void Arrived(Demand demand)
    {
        if (_online is null)
        {
            return;
        }

        _online.Observe(demand);
        if (_online.Stale)
        {
            Use(_online.Build(), null);
        }
    }

    private void Use(WorkloadMix mix, MixEntry[]? typical)
    {
        if (_search is not null)
        {
            _book.Forget(_search.Changed);
        }

        _search = PolicyFactory.Search(_book, PolicyFactory.Create(_name, _book.State.Catalog, mix, typical), mix);
        _repair = new OneMoveRepair(_book, _search);
    }

    private static Func<Demand, Choice> Random(RandomSearch search) => demand => search.Find(demand);

    private Choice Find(Demand demand)
    {
        _budget = Math.Min(BudgetKept, _budget + MovesPerPlacement);
        return _search!.Find(demand);
    }

    private (Choice Place, Move? Move) TryRepair(Demand demand)
    {
        if (_budget < 1 || !_repair!.TryMakeRoom(demand, out Move move, out Choice place))
        {
            return (Choice.None, null);
        }

        _budget--;
        return (place, move);
    }
}
