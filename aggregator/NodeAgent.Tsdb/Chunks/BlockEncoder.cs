using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>Turns the rows of a head into a <see cref="Block"/>. Holds scratch; one per thread.</summary>
internal sealed class BlockEncoder
{
    [ThreadStatic]
    private static BlockEncoder? _ofThread;

    private readonly ChunkWriter _writer = new();
    private readonly double[] _column = new double[IntegerCodec.MaxCount];
    private ulong[] _everywhere = [];

    public static BlockEncoder OfThread => _ofThread ??= new BlockEncoder();

    /// <param name="rows">The head's rows.</param>
    /// <param name="count">How many of them; at least one.</param>
    /// <param name="scales">Declared scale by column.</param>
    public Block Encode(Rows rows, int count, ReadOnlySpan<uint> scales)
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
            samples += EncodeColumn(rows, count, column, scales[column]);
            ends[column + 1] = _writer.Length;
        }

        return new Block(_writer.Written.ToArray(), ends, count, samples, times[0], times[^1]);
    }

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

    private int EncodeColumn(Rows rows, int count, int column, uint scale)
    {
        // Columns are read out of rows: a stride apart, but the lines of one column serve the next seven.
        double[] values = rows.Values;
        if ((_everywhere[column >> 6] & (1UL << (column & 63))) != 0)
        {
            for (int row = 0, at = column; row < count; row++, at += rows.Columns)
            {
                _column[row] = values[at];
            }

            _writer.WriteByte(0);
            ValueCodec.Encode(_column.AsSpan(0, count), scale, _writer);
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
                _column[kept++] = values[(row * rows.Columns) + column];
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
