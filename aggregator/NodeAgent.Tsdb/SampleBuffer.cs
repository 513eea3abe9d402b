using System.Buffers;

namespace NodeAgent.Tsdb;

/// <summary>Growable columns of times and values, reused from series to series. Memory is rented; dispose it.</summary>
public sealed class SampleBuffer : IDisposable
{
    private long[] _times = ArrayPool<long>.Shared.Rent(256);
    private double[] _values = ArrayPool<double>.Shared.Rent(256);

    /// <summary>Number of samples held.</summary>
    public int Count { get; private set; }

    /// <summary>Milliseconds since 1970 UTC. Valid until the next change of the buffer.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    /// <summary>Values, as <see cref="Times"/>.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(long unixMs, double value)
    {
        Reserve(1);
        _times[Count] = unixMs;
        _values[Count++] = value;
    }

    /// <summary>Adds samples; the columns have one length.</summary>
    public void Add(ReadOnlySpan<long> unixMs, ReadOnlySpan<double> values)
    {
        Reserve(unixMs.Length);
        unixMs.CopyTo(_times.AsSpan(Count));
        values.CopyTo(_values.AsSpan(Count));
        Count += unixMs.Length;
    }

    /// <summary>Keeps the first <paramref name="count"/> samples.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count);
        Count = count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<long>.Shared.Return(_times);
        ArrayPool<double>.Shared.Return(_values);
        _times = [];
        _values = [];
        Count = 0;
    }

    /// <summary>Room for more samples behind the present ones; <see cref="Commit"/> makes them part of the buffer.</summary>
    internal (Memory<long> Times, Memory<double> Values) Tail(int room)
    {
        Reserve(room);
        return (_times.AsMemory(Count, room), _values.AsMemory(Count, room));
    }

    internal void Commit(int added) => Count += added;

    internal Span<long> WritableTimes => _times.AsSpan(0, Count);

    internal Span<double> WritableValues => _values.AsSpan(0, Count);

    private void Reserve(int room)
    {
        int needed = checked(Count + room);
        if (needed > _times.Length)
        {
            Grow(ArrayPool<long>.Shared, ref _times, needed);
        }

        // The pools may round up differently, so each column is checked on its own.
        if (needed > _values.Length)
        {
            Grow(ArrayPool<double>.Shared, ref _values, needed);
        }
    }

    private void Grow<T>(ArrayPool<T> pool, ref T[] column, int needed)
    {
        T[] larger = pool.Rent(Math.Max(needed, column.Length * 2));
        column.AsSpan(0, Count).CopyTo(larger);
        pool.Return(column);
        column = larger;
    }
}
