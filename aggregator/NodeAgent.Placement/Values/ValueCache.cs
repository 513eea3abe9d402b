using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NodeAgent.Placement.Fleet;

namespace NodeAgent.Placement.Values;

/// <summary>
/// Values of node states already computed, by (model, CPU left, sorted lanes). A value is a pure function of its key, so what is
/// forgotten changes only the time a decision takes, never the decision. Bounded: when full, it starts again.
/// </summary>
internal sealed class ValueCache(int capacity = 1 << 22)
{
    private Entry[] _entries = new Entry[1 << 14];
    private int _count;

    /// <summary>States held.</summary>
    public int Count => _count;

    /// <summary>Values computed because they were not held.</summary>
    public long Misses { get; private set; }

    public bool TryGet(int model, int cpu, GpuLanes sorted, out float value)
    {
        ulong tag = Tag(model, cpu);
        Entry[] entries = _entries;
        for (int at = Hash(tag, sorted) & (entries.Length - 1); ; at = (at + 1) & (entries.Length - 1))
        {
            ref readonly Entry entry = ref entries[at];
            if (entry.Tag == tag && entry.Lanes == sorted.Vector)
            {
                value = entry.Value;
                return true;
            }

            if (entry.Tag == 0)
            {
                Misses++;
                value = 0;
                return false;
            }
        }
    }

    public void Add(int model, int cpu, GpuLanes sorted, float value)
    {
        if (_count * 2 >= _entries.Length)
        {
            Grow();
        }

        Insert(_entries, new Entry { Tag = Tag(model, cpu), Lanes = sorted.Vector, Value = value });
        _count++;
    }

    private void Grow()
    {
        if (_entries.Length >= capacity)
        {
            Array.Clear(_entries);
            _count = 0;
            return;
        }

        var grown = new Entry[_entries.Length * 2];
        foreach (ref readonly Entry entry in _entries.AsSpan())
        {
            if (entry.Tag != 0)
            {
                Insert(grown, entry);
            }
        }

        _entries = grown;
    }

    private static void Insert(Entry[] entries, in Entry entry)
    {
        int at = Hash(entry.Tag, new GpuLanes(entry.Lanes)) & (entries.Length - 1);
        while (entries[at].Tag != 0)
        {
            at = (at + 1) & (entries.Length - 1);
        }

        entries[at] = entry;
    }

    // Never 0, which marks a free place.
    private static ulong Tag(int model, int cpu) => (ulong)(uint)cpu << 8 | (uint)model + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Hash(ulong tag, GpuLanes lanes)
    {
        Vector128<ulong> words = lanes.Vector.AsUInt64();
        ulong hash = (words.ToScalar() ^ tag) * 0x9E3779B97F4A7C15;
        hash = (hash ^ hash >> 32 ^ words.GetElement(1)) * 0xC2B2AE3D27D4EB4F;
        return (int)(hash >> 33);
    }

    private struct Entry
    {
        public Vector128<ushort> Lanes;
        public ulong Tag;
        public float Value;
    }
}
