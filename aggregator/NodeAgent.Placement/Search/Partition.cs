using NodeAgent.Placement.Policies;

namespace NodeAgent.Placement.Search;

/// <summary>
/// The live states of one partition: of one GPU model and, for each class of large requests, with room for the same number of copies.
/// States of a partition differ in price only by what a request leaves, so a bound on the price holds for all of them.
/// A log says which changed. Each request type keeps its own tree of scores and reads the log
/// when it is asked, so that a change costs nothing to types that are not asked.
/// </summary>
internal sealed class Partition(int number, int model, byte[] copies, int whole, int universe)
{
    private readonly Stack<int> _free = new();
    private StateGroup?[] _slots = new StateGroup?[64];
    private long[] _lastChange = new long[64];
    private int[] _log = new int[1024];
    private long _logStart;
    private uint _generation;

    /// <summary>GPU model of all states.</summary>
    public int Model => model;

    /// <summary>Copies of each class of large requests that a node of this partition has room for.</summary>
    public byte[] Copies => copies;

    /// <summary>Whole free devices of each node.</summary>
    public int Whole => whole;

    /// <summary>Slots in use or free again.</summary>
    public int SlotCount { get; private set; }

    /// <summary>Number of the next change.</summary>
    public long Head { get; private set; }

    public StateGroup? this[int slot] => _slots[slot];

    public StateGroup Create(NodeState state)
    {
        if (!_free.TryPop(out int slot))
        {
            slot = SlotCount++;
            if (slot == _slots.Length)
            {
                Array.Resize(ref _slots, slot * 2);
                Array.Resize(ref _lastChange, slot * 2);
                // Longer than the slots: a reader that is further behind reads them all anyway.
                _log = new int[slot * 16];
                _logStart = Head;
            }
        }

        var group = new StateGroup(state, number, slot, ++_generation, universe);
        _slots[slot] = group;
        return group;
    }

    public void Remove(StateGroup group)
    {
        _slots[group.Slot] = null;
        _free.Push(group.Slot);
    }

    /// <summary>Says that the group in a slot came, went, or has another first node.</summary>
    public void Changed(int slot)
    {
        _lastChange[slot] = Head;
        _log[Head % _log.Length] = slot;
        Head++;
    }

    /// <summary>Whether the log still has everything since a position.</summary>
    public bool Covers(long position) => position >= Math.Max(_logStart, Head - _log.Length);

    /// <summary>The slot of a change. −1: a later change of the same slot follows.</summary>
    public int SlotAt(long change)
    {
        int slot = _log[change % _log.Length];
        return _lastChange[slot] == change ? slot : -1;
    }
}
