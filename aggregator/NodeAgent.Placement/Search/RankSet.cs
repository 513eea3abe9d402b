using System.Numerics;

namespace NodeAgent.Placement.Search;

/// <summary>
/// A set of node numbers in order. A few are a sorted array; many are a bitmap, because thousands of empty nodes share one state and
/// come and go at the front. The smallest is known at once.
/// </summary>
internal sealed class RankSet(int universe)
{
    private const int ToBitmap = 64;
    private const int ToArray = 24;

    private int[] _sorted = new int[4];
    private ulong[]? _bits;

    /// <summary>Members.</summary>
    public int Count { get; private set; }

    /// <summary>Smallest member; <see cref="int.MaxValue"/> when empty.</summary>
    public int First { get; private set; } = int.MaxValue;

    public void Add(int rank)
    {
        if (_bits is null && Count == ToBitmap)
        {
            Upgrade();
        }

        if (_bits is not null)
        {
            _bits[rank >> 6] |= 1UL << (rank & 63);
        }
        else
        {
            int at = ~Array.BinarySearch(_sorted, 0, Count, rank);
            if (Count == _sorted.Length)
            {
                Array.Resize(ref _sorted, Count * 2);
            }

            Array.Copy(_sorted, at, _sorted, at + 1, Count - at);
            _sorted[at] = rank;
        }

        Count++;
        First = Math.Min(First, rank);
    }

    public void Remove(int rank)
    {
        Count--;
        if (_bits is not null)
        {
            _bits[rank >> 6] &= ~(1UL << (rank & 63));
            First = rank == First ? Next(rank) : First;
            if (Count <= ToArray)
            {
                Downgrade();
            }

            return;
        }

        int at = Array.BinarySearch(_sorted, 0, Count + 1, rank);
        Array.Copy(_sorted, at + 1, _sorted, at, Count - at);
        First = Count == 0 ? int.MaxValue : _sorted[0];
    }

    /// <summary>Smallest member larger than a number (−1: the smallest); <see cref="int.MaxValue"/>: none.</summary>
    public int Next(int after)
    {
        if (_bits is null)
        {
            int at = Array.BinarySearch(_sorted, 0, Count, after + 1);
            at = at < 0 ? ~at : at;
            return at < Count ? _sorted[at] : int.MaxValue;
        }

        int from = after + 1;
        int word = from >> 6;
        if (word >= _bits.Length)
        {
            return int.MaxValue;
        }

        ulong bits = _bits[word] & ulong.MaxValue << (from & 63);
        while (bits == 0)
        {
            if (++word == _bits.Length)
            {
                return int.MaxValue;
            }

            bits = _bits[word];
        }

        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }

    private void Upgrade()
    {
        _bits = new ulong[(universe + 63) >> 6];
        foreach (int rank in _sorted.AsSpan(0, Count))
        {
            _bits[rank >> 6] |= 1UL << (rank & 63);
        }
    }

    private void Downgrade()
    {
        int[] sorted = new int[ToBitmap];
        int count = 0;
        for (int rank = Next(-1); rank != int.MaxValue; rank = Next(rank))
        {
            sorted[count++] = rank;
        }

        (_sorted, _bits) = (sorted, null);
    }
}
