using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// Row-major storage of a head: storing a row is one copy, and the newest values lie together. Written by the schema's writer;
/// rows below the published count never change except under the schema's version (see <see cref="MemorySchema"/>).
/// </summary>
internal sealed class Rows
{
    public Rows(int capacity, int columns)
    {
        Capacity = capacity;
        Columns = columns;
        Words = (columns + 63) >> 6;
        Times = new long[capacity];
        Values = GC.AllocateUninitializedArray<double>(capacity * columns);
        Present = new ulong[capacity * Words];
    }

    public int Capacity { get; }

    public int Columns { get; }

    /// <summary>Words of presence bits per row.</summary>
    public int Words { get; }

    public long[] Times { get; }

    public double[] Values { get; }

    public ulong[] Present { get; }

    public long Bytes => ((long)Capacity * (sizeof(long) + ((long)Columns * sizeof(double)) + ((long)Words * sizeof(ulong)))) + 120;

    public ReadOnlySpan<ulong> PresentOf(int row) => Present.AsSpan(row * Words, Words);

    public bool IsPresent(int row, int column) => (Present[(row * Words) + (column >> 6)] & (1UL << (column & 63))) != 0;

    public void Set(int row, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        Times[row] = unixMs;
        values.CopyTo(Values.AsSpan(row * Columns, Columns));
        Span<ulong> bits = Present.AsSpan(row * Words, Words);
        present.CopyTo(bits);
        bits[^1] &= LastWordMask; // stray bits beyond the last column would be counted as samples
    }

    /// <summary>Bits of the last word that belong to columns.</summary>
    public ulong LastWordMask => (Columns & 63) == 0 ? ulong.MaxValue : (1UL << (Columns & 63)) - 1;

    /// <summary>Overwrites the values that are present in a newer write of the same time; returns how many had no value before.</summary>
    public int Overlay(int row, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        int added = 0;
        for (int column = 0; column < Columns; column++)
        {
            ulong bit = 1UL << (column & 63);
            if ((present[column >> 6] & bit) != 0)
            {
                ref ulong word = ref Present[(row * Words) + (column >> 6)];
                added += (word & bit) == 0 ? 1 : 0;
                word |= bit;
                Values[(row * Columns) + column] = values[column];
            }
        }

        return added;
    }

    /// <summary>Whether a row has this time, these values bit for bit, and no others.</summary>
    public bool IsSameRow(int row, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        if (row >= Capacity || Times[row] != unixMs || !PresentOf(row)[..^1].SequenceEqual(present[..^1])
            || PresentOf(row)[^1] != (present[^1] & LastWordMask))
        {
            return false;
        }

        for (int column = 0; column < Columns; column++)
        {
            if (IsPresent(row, column)
                && BitConverter.DoubleToUInt64Bits(Values[(row * Columns) + column]) != BitConverter.DoubleToUInt64Bits(values[column]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes room for a row at a position by moving the rows from there on.</summary>
    public void Shift(int row, int count)
    {
        Times.AsSpan(row, count - row).CopyTo(Times.AsSpan(row + 1));
        Values.AsSpan(row * Columns, (count - row) * Columns).CopyTo(Values.AsSpan((row + 1) * Columns));
        Present.AsSpan(row * Words, (count - row) * Words).CopyTo(Present.AsSpan((row + 1) * Words));
    }

    public Rows CopyWithCapacity(int capacity, int count)
    {
        Rows larger = new(capacity, Columns);
        Times.AsSpan(0, count).CopyTo(larger.Times);
        Values.AsSpan(0, count * Columns).CopyTo(larger.Values);
        Present.AsSpan(0, count * Words).CopyTo(larger.Present);
        return larger;
    }

    /// <summary>Gives one column of a row a value.</summary>
    public void Put(int row, int column, double value)
    {
        Values[(row * Columns) + column] = value;
        Present[(row * Words) + (column >> 6)] |= 1UL << (column & 63);
    }

    /// <summary>A copy of some rows, of exactly their number.</summary>
    public Rows CopyRange(int first, int end)
    {
        Rows copy = new(end - first, Columns);
        Times.AsSpan(first..end).CopyTo(copy.Times);
        Values.AsSpan((first * Columns)..(end * Columns)).CopyTo(copy.Values);
        Present.AsSpan((first * Words)..(end * Words)).CopyTo(copy.Present);
        return copy;
    }

    /// <summary>Appends the samples of a column in a time range.</summary>
    public void Read(int column, int count, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        ref long times = ref MemoryMarshal.GetArrayDataReference(Times);
        int start = Chunks.TimeSearch.FirstAtOrAfter(MemoryMarshal.CreateReadOnlySpan(ref times, count), fromUnixMs);
        for (int row = start; row < count && Times[row] <= toUnixMs; row++)
        {
            if (IsPresent(row, column))
            {
                buffer.Add(Times[row], Values[(row * Columns) + column]);
            }
        }
    }
}
