using System.Buffers.Binary;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Contracts.Frames;

/// <summary>
/// Packs the values of one schema, tick by tick, each against the one before; layout in docs/formats/frame.md.
/// Allocates only in the constructor. Not thread-safe.
/// </summary>
public sealed class BlockEncoder
{
    private const int LongestVarintBytes = 10;

    private readonly BlockColumns _columns;
    private readonly byte[] _buffer;
    private readonly int[] _raw;
    private bool _startsAnew = true;

    public BlockEncoder(IReadOnlyList<SeriesDefinition> series)
    {
        _columns = new BlockColumns(series);
        _raw = new int[_columns.Count];

        // Flag byte, two bitmaps, and for each column either a varint or an index with eight raw bytes.
        _buffer = new byte[1 + (2 * _columns.BitmapBytes) + LongestVarintBytes + (_columns.Count * (LongestVarintBytes + sizeof(ulong)))];
    }

    /// <summary>The next block will be a key block: it can be read without any block before it.</summary>
    public void Reset() => _startsAnew = true;

    /// <summary>Packs one tick.</summary>
    /// <param name="values">One per column; those without their bit in <paramref name="present"/> are not read.</param>
    /// <param name="present">Bit <c>i % 64</c> of word <c>i / 64</c>: column i has a value.</param>
    /// <returns>The payload, valid until the next call.</returns>
    public ReadOnlySpan<byte> Encode(ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        int count = _columns.Count;
        if (values.Length != count || present.Length != (count + 63) / 64)
        {
            throw new ArgumentException($"BUG: {count} columns, but {values.Length} values and {present.Length} words of presence");
        }

        byte flags = 0;
        if (_startsAnew)
        {
            _startsAnew = false;
            _columns.Reset();
            flags = BlockColumns.KeyFlag;
        }

        int bitmapBytes = _columns.BitmapBytes;
        int position = 1;
        if (AnyAbsent(present, count))
        {
            flags |= BlockColumns.AbsentFlag;
            WriteAbsent(_buffer.AsSpan(position, bitmapBytes), present, count);
            position += bitmapBytes;
        }

        Span<byte> changed = _buffer.AsSpan(position, bitmapBytes);
        changed.Clear();
        position += bitmapBytes;
        int rawCount = 0;
        for (int column = 0; column < count; column++)
        {
            if ((present[column >> 6] & (1UL << (column & 63))) == 0)
            {
                continue;
            }

            if (!TryEncodeValue(column, values[column], out ulong code))
            {
                _raw[rawCount++] = column;
            }
            else if (code != 0)
            {
                changed[column >> 3] |= (byte)(1 << (column & 7));
                position = WriteVarint(position, code);
            }
        }

        if (rawCount > 0)
        {
            flags |= BlockColumns.RawFlag;
            position = WriteRaw(position, values, rawCount);
        }

        _buffer[0] = flags;
        return _buffer.AsSpan(0, position);
    }

    private static bool AnyAbsent(ReadOnlySpan<ulong> present, int count)
    {
        for (int word = 0; word < present.Length; word++)
        {
            int bits = Math.Min(64, count - (word * 64));
            ulong all = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
            if ((present[word] & all) != all)
            {
                return true;
            }
        }

        return false;
    }

    private static void WriteAbsent(Span<byte> bitmap, ReadOnlySpan<ulong> present, int count)
    {
        for (int i = 0; i < bitmap.Length; i++)
        {
            int columnsHere = Math.Min(8, count - (i * 8));
            bitmap[i] = (byte)(~(present[i >> 3] >> ((i & 7) * 8)) & (uint)((1 << columnsHere) - 1));
        }
    }

    // False: the value has no place on the column's scale and goes raw, past the predictor.
    private bool TryEncodeValue(int column, double value, out ulong code)
    {
        double scale = _columns.Scale[column];
        if (scale == 0)
        {
            // Neighbouring doubles share sign, exponent and high bits; reversing the bytes makes what differs a small number.
            long bits = BitConverter.DoubleToInt64Bits(value);
            code = BinaryPrimitives.ReverseEndianness((ulong)(bits ^ _columns.Predict(column)));
            _columns.Learn(column, bits);
            return true;
        }

        double scaled = Math.Round(value * scale);
        if (!(Math.Abs(scaled) <= BlockColumns.LargestExactInteger))
        {
            code = 0;
            return false;
        }

        long whole = (long)scaled;
        long error = unchecked(whole - _columns.Predict(column));
        code = (ulong)((error << 1) ^ (error >> 63));
        _columns.Learn(column, whole);
        return true;
    }

    private int WriteVarint(int position, ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[position++] = (byte)value;
        return position;
    }

    private int WriteRaw(int position, ReadOnlySpan<double> values, int rawCount)
    {
        position = WriteVarint(position, (ulong)rawCount);
        int last = -1;
        for (int i = 0; i < rawCount; i++)
        {
            position = WriteVarint(position, (ulong)(_raw[i] - last - 1));
            BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(position), BitConverter.DoubleToInt64Bits(values[_raw[i]]));
            position += sizeof(ulong);
            last = _raw[i];
        }

        return position;
    }
}
