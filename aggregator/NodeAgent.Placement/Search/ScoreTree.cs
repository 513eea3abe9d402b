using System.Runtime.CompilerServices;

namespace NodeAgent.Placement.Search;

/// <summary>
/// A tournament: the largest key under every inner node. A key is a score and, among equal scores, the smaller node number, in one
/// 64-bit integer, so that one comparison decides. 0: does not fit.
/// </summary>
internal sealed class ScoreTree
{
    // Small: there is one for every request type and partition.
    private ulong[] _keys = new ulong[2 * 8];
    private uint[] _generations = new uint[8];

    /// <summary>Leaves.</summary>
    public int Capacity => _generations.Length;

    /// <summary>Position in the change log up to which this tree is current.</summary>
    public long Position { get; set; } = -1;

    /// <summary>Key of an inner node (1 is the root) or a leaf (<see cref="Capacity"/> + slot).</summary>
    public ulong this[int index] => _keys[index];

    /// <summary>Generation of the group that a leaf was scored for.</summary>
    public uint GenerationOf(int slot) => _generations[slot];

    /// <summary>Key of a leaf.</summary>
    public ulong LeafOf(int slot) => _keys[_generations.Length + slot];

    public void Reset(int slots)
    {
        int capacity = _generations.Length;
        while (capacity < slots)
        {
            capacity *= 2;
        }

        _keys = new ulong[2 * capacity];
        _generations = new uint[capacity];
    }

    public void Set(int slot, ulong key, uint generation)
    {
        _generations[slot] = generation;
        int at = _generations.Length + slot;
        if (_keys[at] == key)
        {
            return;
        }

        _keys[at] = key;
        for (at >>= 1; at > 0; at >>= 1)
        {
            ulong larger = Math.Max(_keys[2 * at], _keys[(2 * at) + 1]);
            if (_keys[at] == larger)
            {
                return;
            }

            _keys[at] = larger;
        }
    }

    /// <summary>The key of a score on a node.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(float score, int node)
    {
        // Flipping the bits of negative floats, and the sign of the others, makes their order that of unsigned integers.
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f); // + 0: minus zero becomes zero
        bits = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return (ulong)bits << 32 | ~(uint)node;
    }

    /// <summary>The score in a key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Score(ulong key)
    {
        uint bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((bits & 0x80000000) != 0 ? bits & 0x7FFFFFFF : ~bits);
    }

    /// <summary>The node in a key.</summary>
    public static int Node(ulong key) => (int)~(uint)key;

    /// <summary>The key with the score lowered.</summary>
    public static ulong Lower(ulong key, double by) => by == 0 ? key : Key((float)(Score(key) - by), Node(key));
}
