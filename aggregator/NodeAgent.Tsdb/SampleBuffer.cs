using System.Buffers;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb;

/// <summary>Growable columns of times and values, reused from series to series. Memory is rented; dispose it.</summary>
public sealed class SampleBuffer : IDisposable
{
    private long[] _times = ArrayPool<long>.Shared.Rent(256);
    private double[] _values = ArrayPool<double>.Shared.Rent(256);

    private readonly SharedTimes _shared = new();

    /// <summary>
    /// Whether the times are those that the buffer had before it was cleared the last time: series with the same rows share them, and so what
    /// was found out about them.
    /// </summary>
    internal bool HasTimesAsBefore => _shared.AreAsBefore(Count);

    /// <summary>Number of samples held.</summary>
    public int Count { get; private set; }

    /// <summary>Milliseconds since 1970 UTC. Valid until the next change of the buffer.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    /// <summary>Values, as <see cref="Times"/>.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count);

    public void Clear()
    {
        Count = 0;
        _shared.Rewind();
    }

    public void Add(long unixMs, double value)
    {
        Reserve(1);
        _shared.Forget();
        _times[Count] = unixMs;
        _values[Count++] = value;
    }

    /// <summary>Adds samples; the columns have one length.</summary>
    public void Add(ReadOnlySpan<long> unixMs, ReadOnlySpan<double> values)
    {
        if (unixMs.IsEmpty)
        {
            return;
        }

        Reserve(unixMs.Length);
        _shared.Forget();
        unixMs.CopyTo(_times.AsSpan(Count));
        values.CopyTo(_values.AsSpan(Count));
        Count += unixMs.Length;
    }

    /// <summary>Keeps the first <paramref name="count"/> samples.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count);
        _shared.Forget();
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
    internal void Tail(int room, out Span<long> unixMs, out Span<double> values)
    {
        Reserve(room);
        _shared.Forget();
        unixMs = _times.AsSpan(Count, room);
        values = _values.AsSpan(Count, room);
    }

    /// <summary>
    /// Room for the values of a chunk of which all rows count, whose times may be there already from the series before. Returns the room;
    /// <see cref="CommitShared"/> makes what lies in the range part of the buffer.
    /// </summary>
    internal Span<double> TailShared(TimeColumn column, int chunk, long fromUnixMs, long toUnixMs)
    {
        int rows = column[chunk].Rows;
        Reserve(rows);
        if (!_shared.Next(new SharedTimes.Stretch(column, chunk, fromUnixMs, toUnixMs, Count)))
        {
            ReadOnlySpan<long> times = column.TimesOf(chunk);
            Range range = TimeSearch.FirstAtOrAfter(times, fromUnixMs)..TimeSearch.FirstAfter(times, toUnixMs);
            times[range].CopyTo(_times.AsSpan(Count));
            _shared.Note(range);
        }

        return _values.AsSpan(Count, rows);
    }

    internal void CommitShared()
    {
        (int first, int count) = _shared.Last;
        if (first > 0)
        {
            _values.AsSpan(Count + first, count).CopyTo(_values.AsSpan(Count));
        }

        Count += count;
    }

    internal void Commit(int added) => Count += added;

    internal Span<long> WritableTimes
    {
        get
        {
            _shared.Forget();
            return _times.AsSpan(0, Count);
        }
    }

    internal Span<double> WritableValues => _values.AsSpan(0, Count);

    private void Reserve(int room)
    {
        int needed = checked(Count + room);
        if (needed > _times.Length)
        {
            _shared.ForgetAhead(); // what lies behind the end is not copied
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
