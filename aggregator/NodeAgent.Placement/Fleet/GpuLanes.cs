using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NodeAgent.Placement.Fleet;

/// <summary>
/// What is left of the GPUs of one node, in thousandths of a GPU, one 16-bit lane per device (0 for a device that is not there).
/// Eight lanes are one vector register, which is what makes the value function cheap; a host with more than eight GPUs is described
/// as two nodes, one per NUMA half, which is also how jobs on such hosts are bound.
/// </summary>
public readonly struct GpuLanes : IEquatable<GpuLanes>
{
    /// <summary>Most GPUs of one node.</summary>
    public const int Max = 8;

    /// <summary>A whole GPU.</summary>
    public const ushort Whole = 1000;

    private readonly Vector128<ushort> _left;

    public GpuLanes(Vector128<ushort> left) => _left = left;

    /// <summary>A node whose first <paramref name="count"/> GPUs are whole.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="Max"/>.</exception>
    public static GpuLanes WholeGpus(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Max);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Vector128<ushort> left = Vector128<ushort>.Zero;
        for (int lane = 0; lane < count; lane++)
        {
            left = left.WithElement(lane, Whole);
        }

        return new GpuLanes(left);
    }

    /// <summary>The register itself.</summary>
    public Vector128<ushort> Vector => _left;

    /// <summary>Thousandths left on a device.</summary>
    public int this[int lane] => _left.GetElement(lane);

    /// <summary>Thousandths left on all devices.</summary>
    public int Total
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(_left);
            return (int)Vector128.Sum(low + high);
        }
    }

    /// <summary>Devices nobody uses.</summary>
    public int WholeCount
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BitOperations.PopCount(Vector128.Equals(_left, Vector128.Create(Whole)).ExtractMostSignificantBits());
    }

    /// <summary>Devices with at least so much left (a bit per lane).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint LanesWith(int milli) =>
        milli <= 0 ? 0xFF : Vector128.GreaterThanOrEqual(_left, Vector128.Create((ushort)milli)).ExtractMostSignificantBits();

    /// <summary>The device with the least left that still has <paramref name="milli"/>; the first of equals. −1: none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Tightest(int milli)
    {
        // What is left minus what is asked wraps to a huge number where it does not fit, so the smallest difference is the tightest fit.
        Vector128<ushort> difference = _left - Vector128.Create((ushort)milli);
        if (Sse41.IsSupported)
        {
            Vector128<ushort> smallest = Sse41.MinHorizontal(difference);
            return smallest.ToScalar() <= Whole ? smallest.GetElement(1) : -1;
        }

        int best = -1;
        int bestLeft = int.MaxValue;
        for (int lane = 0; lane < Max; lane++)
        {
            int left = difference.GetElement(lane);
            if (left <= Whole && left < bestLeft)
            {
                (best, bestLeft) = (lane, left);
            }
        }

        return best;
    }

    /// <summary>Takes from one device.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuLanes Take(int lane, int milli) => new(_left - (LaneMask(lane) & Vector128.Create((ushort)milli)));

    /// <summary>Takes the same from each device in the mask (or, with a negative amount, gives it back).</summary>
    public GpuLanes TakeEach(uint lanes, int milli)
    {
        Vector128<ushort> left = _left;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            left = left.WithElement(lane, (ushort)(left.GetElement(lane) - milli));
        }

        return new GpuLanes(left);
    }

    /// <summary>The same amounts, largest first: two nodes with the same sorted lanes are in the same state.</summary>
    public GpuLanes Sorted()
    {
        Vector128<ushort> next = Vector128.Shuffle(_left, Vector128.Create((ushort)1, 2, 3, 4, 5, 6, 7, 7));
        if (Vector128.GreaterThanOrEqualAll(_left, next))
        {
            return this;
        }

        Span<ushort> values = stackalloc ushort[Max];
        _left.CopyTo(values);
        for (int i = 1; i < Max; i++)
        {
            ushort value = values[i];
            int at = i;
            for (; at > 0 && values[at - 1] < value; at--)
            {
                values[at] = values[at - 1];
            }

            values[at] = value;
        }

        return new GpuLanes(Vector128.Create((ReadOnlySpan<ushort>)values));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> LaneMask(int lane) => Vector128.Equals(Lanes, Vector128.Create((ushort)lane));

    private static Vector128<ushort> Lanes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((ushort)0, 1, 2, 3, 4, 5, 6, 7);
    }

    public bool Equals(GpuLanes other) => _left == other._left;

    public override bool Equals(object? obj) => obj is GpuLanes other && Equals(other);

    public override int GetHashCode() => _left.GetHashCode();

    public static bool operator ==(GpuLanes left, GpuLanes right) => left.Equals(right);

    public static bool operator !=(GpuLanes left, GpuLanes right) => !left.Equals(right);

    public override string ToString()
    {
        GpuLanes lanes = this;
        return string.Join('/', Enumerable.Range(0, Max).Select(lane => lanes[lane]));
    }
}
