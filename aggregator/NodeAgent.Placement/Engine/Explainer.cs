using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Engine;

/// <summary>Says why: terms of the chosen node, runners-up, reject counts, and what would have changed the outcome.</summary>
internal sealed class Explainer(FleetBook book)
{
    private const int RunnersUp = 3;

    /// <summary>Of a choice that is not taken yet.</summary>
    public Explanation OfChoice(PlacementSearch search, in Choice choice, in Demand demand, INodeRule? rule)
    {
        IReadOnlyList<ScoreTerm> terms = search.Terms(choice, demand);
        var others = new List<RunnerUp>();
        HashSet<int> seen = [choice.Node];
        var except = new ExceptRule(rule, seen);
        for (int place = 0; place < RunnersUp; place++)
        {
            Choice next = search.Find(demand, except);
            if (!next.Found)
            {
                break;
            }

            seen.Add(next.Node);
            IReadOnlyList<ScoreTerm> its = search.Terms(next, demand);
            ScoreTerm decided = its.Select((term, index) => new ScoreTerm(term.Name, term.Value - terms[index].Value, term.Unit)).MinBy(term => term.Value)!;
            others.Add(new RunnerUp(book.State.Catalog.Nodes[next.Node].Name, next.Score, decided));
        }

        return new Explanation(terms, others, Rejects(demand, rule), []);
    }

    /// <summary>Of a request that found no place.</summary>
    public Explanation OfFailure(PlacementSearch search, in Demand demand, INodeRule? rule) =>
        new([], [], Rejects(demand, rule), [.. Counterfactuals(search, demand, rule)]);

    private List<RejectCount> Rejects(Demand demand, INodeRule? rule)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int node = 0; node < book.State.Count; node++)
        {
            if (Rejection.Of(book.State, node, demand, rule) is { } reason)
            {
                counts[reason] = counts.GetValueOrDefault(reason) + 1;
            }
        }

        return [.. counts.OrderByDescending(count => count.Value).Select(count => new RejectCount(count.Key, count.Value))];
    }

    private List<string> Counterfactuals(PlacementSearch search, Demand demand, INodeRule? rule)
    {
        var facts = new List<string>();
        FleetState state = book.State;
        int cpu = Largest(demand with { CpuMilli = 0 }, rule, state.Cpu);
        int memory = Largest(demand with { MemoryMiB = 0 }, rule, state.Memory);
        AddIf(facts, cpu > 0 && cpu < demand.CpuMilli, $"fits with cpu <= {cpu:N0}m");
        AddIf(facts, memory > 0 && memory < demand.MemoryMiB, $"fits with memory <= {memory:N0} MiB");
        if (demand.GpuCount > 1)
        {
            int devices = Largest(demand with { GpuCount = 0, GpuMilli = 0 }, rule, node => System.Numerics.BitOperations.PopCount(FleetIndex.UsableGpus(state, node).LanesWith(demand.GpuMilli)));
            AddIf(facts, devices > 0 && devices < demand.GpuCount, $"fits with {devices} GPUs");
        }
        else if (demand.IsShare)
        {
            int milli = Largest(demand with { GpuMilli = 1 }, rule, node => Enumerable.Range(0, GpuLanes.Max).Max(lane => FleetIndex.UsableGpus(state, node)[lane]));
            AddIf(facts, milli > 0 && milli < demand.GpuMilli, $"fits with {milli} thousandths of a GPU");
        }

        AddModels(facts, demand, rule);
        AddMove(facts, search, demand);
        return facts;
    }

    private int Largest(Demand relaxed, INodeRule? rule, Func<int, int> amount)
    {
        int largest = 0;
        for (int node = 0; node < book.State.Count; node++)
        {
            largest = Rejection.Of(book.State, node, relaxed, rule) is null ? Math.Max(largest, amount(node)) : largest;
        }

        return largest;
    }

    private void AddModels(List<string> facts, Demand demand, INodeRule? rule)
    {
        if (demand.Models == ulong.MaxValue)
        {
            return;
        }

        var others = new Dictionary<string, int>();
        for (int node = 0; node < book.State.Count; node++)
        {
            if (Rejection.Of(book.State, node, demand with { Models = ulong.MaxValue }, rule) is null)
            {
                string model = book.State.Catalog.Nodes[node].Model;
                others[model] = others.GetValueOrDefault(model) + 1;
            }
        }

        AddIf(facts, others.Count > 0, "fits on " + string.Join(", ", others.OrderByDescending(other => other.Value).Select(other => $"{other.Key} ({other.Value} nodes)")));
    }

    private void AddMove(List<string> facts, PlacementSearch search, Demand demand)
    {
        int mark = book.Mark();
        if (new OneMoveRepair(book, search).TryMakeRoom(demand, out Move move, out _))
        {
            facts.Add($"1 move makes room on {book.State.Catalog.Nodes[move.From].Name}");
        }

        book.UndoTo(mark);
    }

    private static void AddIf(List<string> facts, bool condition, string fact)
    {
        if (condition)
        {
            facts.Add(fact);
        }
    }
}
