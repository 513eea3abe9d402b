namespace NodeAgent.Placement.Search;

/// <summary>
/// What is still to be visited, best bound first; among equal bounds the deeper one, or a tie would be walked level by level through
/// the whole tree. A binary heap that keeps its memory.
/// </summary>
internal sealed class PriorityStack
{
    private Item[] _items = new Item[256];
    private int _count;

    public void Clear() => _count = 0;

    public void Push(ulong bound, int partition, int at)
    {
        if (_count == _items.Length)
        {
            Array.Resize(ref _items, _count * 2);
        }

        var item = new Item(bound, partition, at);
        int hole = _count++;
        while (hole > 0)
        {
            int parent = (hole - 1) / 2;
            if (!item.Before(_items[parent]))
            {
                break;
            }

            _items[hole] = _items[parent];
            hole = parent;
        }

        _items[hole] = item;
    }

    public bool TryPop(out ulong bound, out int partition, out int at)
    {
        if (_count == 0)
        {
            (bound, partition, at) = (0, 0, 0);
            return false;
        }

        (bound, partition, at) = (_items[0].Bound, _items[0].Partition, _items[0].At);
        Item last = _items[--_count];
        int hole = 0;
        for (int child = 1; child < _count; child = (2 * hole) + 1)
        {
            child += child + 1 < _count && _items[child + 1].Before(_items[child]) ? 1 : 0;
            if (!_items[child].Before(last))
            {
                break;
            }

            _items[hole] = _items[child];
            hole = child;
        }

        _items[hole] = last;
        return true;
    }

    private readonly struct Item(ulong bound, int partition, int at)
    {
        public readonly ulong Bound = bound;
        public readonly int Partition = partition;
        public readonly int At = at;

        public bool Before(in Item other) => Bound != other.Bound ? Bound > other.Bound : At > other.At;
    }
}
