using System.Runtime.CompilerServices;
using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// Turns the rows of a head into a <see cref="Block"/>. Holds scratch; one per thread. Its loops, and those of the codecs below it, are compiled
/// for speed at once: a restart packs a quarter of a billion samples in its first seconds, and the first seconds of tiered code are slow ones.
/// </summary>
internal sealed class BlockEncoder
{
    /// <summary>Doubles in a cache line: columns are gathered that many at a time, so that each line of the head is fetched once.</summary>
    private const int LineColumns = 8;

    [ThreadStatic]
    private static BlockEncoder? _ofThread;

    private readonly ChunkWriter _writer = new();
    private readonly double[] _column = new double[IntegerCodec.MaxCount];
    private readonly double[] _line = new double[IntegerCodec.MaxCount * LineColumns];
    private ulong[] _everywhere = [];

    public static BlockEncoder OfThread => _ofThread ??= new BlockEncoder();

    /// <param name="rows">The head's rows.</param>
    /// <param name="count">How many of them; at least one.</param>
    /// <param name="scales">Declared scale by column.</param>
    /// <param name="walIds">Ids of the log records that the rows came with.</param>
    public Block Encode(Rows rows, int count, ReadOnlySpan<uint> scales, WalRange walIds)
    {
        _writer.Clear();
        int[] ends = new int[rows.Columns + 1];
        ReadOnlySpan<long> times = rows.Times.AsSpan(0, count);
        IntegerCodec.Encode(times, _writer);
        ends[0] = _writer.Length;
        FindColumnsPresentEverywhere(rows, count);
        int samples = 0;
        for (int column = 0; column < rows.Columns; column++)
        {
            if (column % LineColumns == 0)
            {
                GatherColumns(rows, count, column);
            }

            samples += EncodeColumn(rows, count, column, scales[column]);
            ends[column + 1] = _writer.Length;
        }

        return new Block(_writer.Written.ToArray(), ends, count, samples, times[0], times[^1], walIds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FindColumnsPresentEverywhere(Rows rows, int count)
    {
        if (_everywhere.Length < rows.Words)
        {
            _everywhere = new ulong[rows.Words];
        }

        Span<ulong> everywhere = _everywhere.AsSpan(0, rows.Words);
        everywhere.Fill(ulong.MaxValue);
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<ulong> present = rows.PresentOf(row);
            for (int word = 0; word < everywhere.Length; word++)
            {
                everywhere[word] &= present[word];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void GatherColumns(Rows rows, int count, int first)
    {
        int columns = Math.Min(LineColumns, rows.Columns - first);
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> line = rows.Values.AsSpan((row * rows.Columns) + first, columns);
            for (int i = 0; i < line.Length; i++)
            {
                _line[(i * count) + row] = line[i];
            }
        }
    }

    private int EncodeColumn(Rows rows, int count, int column, uint scale)
    {
        ReadOnlySpan<double> values = _line.AsSpan((column % LineColumns) * count, count);
        if ((_everywhere[column >> 6] & (1UL << (column & 63))) != 0)
        {
            _writer.WriteByte(0);
            ValueCodec.Encode(values, scale, _writer);
            return count;
        }

        int start = _writer.Length;
        _writer.WriteByte(1);
        Span<byte> bitmap = _writer.Take((count + 7) >> 3);
        int kept = 0;
        for (int row = 0; row < count; row++)
        {
            if (rows.IsPresent(row, column))
            {
                bitmap[row >> 3] |= (byte)(1 << (row & 7));
                _column[kept++] = values[row];
            }
        }

        if (kept == 0)
        {
            _writer.Rewind(start);
            return 0;
        }

        ValueCodec.Encode(_column.AsSpan(0, kept), scale, _writer);
        return kept;
    }
}
