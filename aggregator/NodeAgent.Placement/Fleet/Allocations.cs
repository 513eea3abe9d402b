using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Fleet;

/// <summary>One replica on a node.</summary>
/// <param name="Owner">Whose it is, in the caller's numbers.</param>
/// <param name="Node">Where.</param>
/// <param name="Demand">What it takes.</param>
/// <param name="Lanes">Which devices, a bit each.</param>
public readonly record struct Allocation(long Owner, int Node, Demand Demand, uint Lanes);

/// <summary>
/// Who holds what: allocations by number, chained per node, so that a drain finds them without a search. Numbers are re-used.
/// </summary>
public sealed class Allocations(int nodes)
{
    private readonly int[] _firstOfNode = Filled(nodes);
    private Link[] _links = new Link[256];
    private int _used;
    private int _free = -1;

    /// <summary>Allocations held.</summary>
    public int Count { get; private set; }

    /// <summary>An allocation by number.</summary>
    public Allocation this[int number] => _links[number].Value;

    /// <summary>Whether a number is held.</summary>
    public bool Contains(int number) => (uint)number < (uint)_used && _links[number].Held;

    /// <summary>First allocation of a node; −1: none.</summary>
    public int First(int node) => _firstOfNode[node];

    /// <summary>The next of the same node; −1: no more.</summary>
    public int Next(int number) => _links[number].Next;

    /// <summary>All allocations of a node, newest first.</summary>
    public IEnumerable<int> Of(int node)
    {
        for (int number = _firstOfNode[node]; number >= 0; number = _links[number].Next)
        {
            yield return number;
        }
    }

    /// <summary>All allocations, in order of number.</summary>
    public IEnumerable<int> All()
    {
        for (int number = 0; number < _used; number++)
        {
            if (_links[number].Held)
            {
                yield return number;
            }
        }
    }

    internal int Add(Allocation allocation)
    {
        int number = _free;
        if (number >= 0)
        {
            _free = _links[number].Next;
        }
        else
        {
            number = _used++;
            if (number == _links.Length)
            {
                Array.Resize(ref _links, number * 2);
            }
        }

        int first = _firstOfNode[allocation.Node];
        _links[number] = new Link { Value = allocation, Next = first, Previous = -1, Held = true };
        if (first >= 0)
        {
            _links[first].Previous = number;
        }

        _firstOfNode[allocation.Node] = number;
        Count++;
        return number;
    }

    internal void Remove(int number)
    {
        ref Link link = ref _links[number];
        if (link.Previous >= 0)
        {
            _links[link.Previous].Next = link.Next;
        }
        else
        {
            _firstOfNode[link.Value.Node] = link.Next;
        }

        if (link.Next >= 0)
        {
            _links[link.Next].Previous = link.Previous;
        }

        link = new Link { Next = _free };
        _free = number;
        Count--;
    }

    internal Allocations Copy()
    {
        var copy = new Allocations(0, [.. _firstOfNode]) { _links = [.. _links], _used = _used, _free = _free, Count = Count };
        return copy;
    }

    private Allocations(int nodes, int[] firstOfNode)
        : this(nodes) => _firstOfNode = firstOfNode;

    private static int[] Filled(int nodes)
    {
        int[] first = new int[nodes];
        Array.Fill(first, -1);
        return first;
    }

    private struct Link
    {
        public Allocation Value;
        public int Next;
        public int Previous;
        public bool Held;
    }
}
