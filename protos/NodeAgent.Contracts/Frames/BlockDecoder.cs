using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Contracts.Frames;

/// <summary>Why a block could not be read. Numbers are exported as a label and only grow.</summary>
public enum BlockError
{
    None = 0,

    /// <summary>The payload ends inside a value or a bitmap.</summary>
    Truncated = 1,

    /// <summary>Bytes are left after the last value.</summary>
    TrailingBytes = 2,

    /// <summary>A flag of a newer layout is set.</summary>
    UnknownFlag = 3,

    /// <summary>A bitmap names a column that the schema does not have, or one that is also absent.</summary>
    BadBitmap = 4,

    /// <summary>A number is longer than 64 bits.</summary>
    BadNumber = 5,

    /// <summary>The block builds on one that was not read; blocks up to the next key block are of no use.</summary>
    NeedsKey = 6,
}

/// <summary>
/// Reads what <see cref="BlockEncoder"/> wrote. Total: any bytes give values or a <see cref="BlockError"/>, in time and memory
/// bounded by the number of columns. After an error it asks for a key block. Allocates only in the constructor. Not thread-safe.
/// </summary>
public sealed class BlockDecoder
{
    private readonly BlockColumns _columns;
    private readonly double[] _values;
    private readonly ulong[] _present;
    private readonly ulong[] _stale; // columns whose value came past the predictor: an unchanged one is not what stands there
    private readonly ulong[] _raw; // columns of this block that come past the predictor
    private bool _needsKey = true;

    public BlockDecoder(IReadOnlyList<SeriesDefinition> series)
    {
        _columns = new BlockColumns(series);
        _values = new double[_columns.Count];
        _present = new ulong[(_columns.Count + 63) / 64];
        _stale = new ulong[_present.Length];
        _raw = new ulong[_present.Length];
    }

    /// <summary>Values by column of the last block that was read; only those present mean anything.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Bit <c>i % 64</c> of word <c>i / 64</c>: column i has a value.</summary>
    public ReadOnlySpan<ulong> Present => _present;

    /// <summary>A record before the next block is missing: only a key block can be read now.</summary>
    public void Lose() => _needsKey = true;

    /// <summary>Whether a block can be read without those before it.</summary>
    public static bool IsKey(ReadOnlySpan<byte> payload) => !payload.IsEmpty && (payload[0] & BlockColumns.KeyFlag) != 0;

    /// <summary>Reads one block.</summary>
    public BlockError Decode(ReadOnlySpan<byte> payload)
    {
        BlockError error = DecodeWhole(payload);
        _needsKey = error != BlockError.None;
        return error;
    }

    private BlockError DecodeWhole(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
        {
            return BlockError.Truncated;
        }

        byte flags = payload[0];
        if ((flags & ~(BlockColumns.KeyFlag | BlockColumns.AbsentFlag | BlockColumns.RawFlag)) != 0)
        {
            return BlockError.UnknownFlag;
        }

        if ((flags & BlockColumns.KeyFlag) != 0)
        {
            _columns.Reset();
            Array.Clear(_values);
            Array.Clear(_stale);
        }
        else if (_needsKey)
        {
            return BlockError.NeedsKey;
        }

        int bitmapBytes = _columns.BitmapBytes;
        bool hasAbsent = (flags & BlockColumns.AbsentFlag) != 0;
        if (payload.Length < 1 + (hasAbsent ? 2 : 1) * bitmapBytes)
        {
            return BlockError.Truncated;
        }

        ReadOnlySpan<byte> absent = hasAbsent ? payload.Slice(1, bitmapBytes) : default;
        ReadOnlySpan<byte> changed = payload.Slice(1 + (hasAbsent ? bitmapBytes : 0), bitmapBytes);
        if (!AreBitmapsSound(absent, changed))
        {
            return BlockError.BadBitmap;
        }

        SetPresent(absent);
        int position = 1 + (hasAbsent ? 2 : 1) * bitmapBytes;
        ReadOnlySpan<byte> raw = default;
        if ((flags & BlockColumns.RawFlag) != 0)
        {
            // Raw columns go past the predictor, so their indexes must be known before the codes are applied.
            BlockError found = FindRaw(payload, changed, position, out raw);
            if (found != BlockError.None)
            {
                return found;
            }
        }

        return DecodeValues(payload, position, changed, raw, payload.Length - raw.Length);
    }

    // Half of a host's columns rest from tick to tick: only those are looked at of which something is said, or that go on by themselves.
    // Compiled for speed at once: an aggregator's restart unpacks a quarter of a billion values in its first seconds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private BlockError DecodeValues(ReadOnlySpan<byte> payload, int position, ReadOnlySpan<byte> changed, ReadOnlySpan<byte> raw, int end)
    {
        ReadOnlySpan<byte> codes = payload[..end];
        TakeRaw(raw);
        for (int word = 0; word < _present.Length; word++)
        {
            ulong changedHere = WordOf(changed, word);
            ulong active = _present[word] & ~_raw[word] & (changedHere | _columns.Moving[word] | _stale[word]);
            _stale[word] = (_stale[word] & ~active) | _raw[word];
            for (; active != 0; active &= active - 1)
            {
                int bit = BitOperations.TrailingZeroCount(active);
                ulong code = 0;
                if ((changedHere >> bit & 1) != 0)
                {
                    if (position < codes.Length && codes[position] < 0x80)
                    {
                        code = codes[position++];
                    }
                    else if (!TryReadVarint(codes, ref position, out code))
                    {
                        return position >= end ? BlockError.Truncated : BlockError.BadNumber;
                    }
                }

                ApplyCode((word << 6) + bit, code);
            }
        }

        return position == end ? BlockError.None : BlockError.TrailingBytes;
    }

    private void TakeRaw(ReadOnlySpan<byte> list)
    {
        Array.Clear(_raw);
        RawReader raw = new(list);
        for (int column = raw.Next(); column >= 0; column = raw.Next())
        {
            _raw[column >> 6] |= 1UL << (column & 63);
            _values[column] = raw.Value;
        }
    }

    private static ulong WordOf(ReadOnlySpan<byte> bitmap, int word)
    {
        ReadOnlySpan<byte> bytes = bitmap[(word * sizeof(ulong))..];
        if (bytes.Length >= sizeof(ulong))
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }

        ulong bits = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            bits |= (ulong)bytes[i] << (i * 8);
        }

        return bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ApplyCode(int column, ulong code)
    {
        double scale = _columns.Scale[column];
        long predicted = _columns.Predict(column);
        if (scale == 0)
        {
            long bits = predicted ^ (long)BinaryPrimitives.ReverseEndianness(code);
            _columns.Learn(column, bits);
            _values[column] = BitConverter.Int64BitsToDouble(bits);
            return;
        }

        long error = (long)(code >> 1) ^ -(long)(code & 1);
        long whole = unchecked(predicted + error);
        _columns.Learn(column, whole);
        _values[column] = whole / scale;
    }

    private bool AreBitmapsSound(ReadOnlySpan<byte> absent, ReadOnlySpan<byte> changed)
    {
        for (int i = 0; i < absent.Length; i++)
        {
            if ((absent[i] & changed[i]) != 0)
            {
                return false;
            }
        }

        int spare = (changed.Length * 8) - _columns.Count;
        int beyond = spare == 0 ? 0 : 0xFF << (8 - spare);
        return changed.IsEmpty || ((changed[^1] & beyond) == 0 && (absent.IsEmpty || (absent[^1] & beyond) == 0));
    }

    private void SetPresent(ReadOnlySpan<byte> absent)
    {
        _present.AsSpan().Fill(ulong.MaxValue);
        if (_present.Length > 0 && (_columns.Count & 63) != 0)
        {
            _present[^1] = (1UL << (_columns.Count & 63)) - 1;
        }

        for (int i = 0; i < absent.Length; i++)
        {
            _present[i >> 3] &= ~((ulong)absent[i] << ((i & 7) * 8));
        }
    }

    // The raw list stands behind the codes, whose count is the number of changed bits: skip them, then check the list.
    private BlockError FindRaw(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> changed, int position, out ReadOnlySpan<byte> raw)
    {
        raw = default;
        int codes = 0;
        foreach (byte bits in changed)
        {
            codes += BitOperations.PopCount(bits);
        }

        for (int i = 0; i < codes; i++)
        {
            if (!TryReadVarint(payload, ref position, out _))
            {
                return position >= payload.Length ? BlockError.Truncated : BlockError.BadNumber;
            }
        }

        int start = position;
        if (!TryReadVarint(payload, ref position, out ulong count))
        {
            return BlockError.Truncated;
        }

        long column = -1;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryReadVarint(payload, ref position, out ulong gap) || payload.Length - position < sizeof(ulong))
            {
                return BlockError.Truncated;
            }

            if (gap >= (ulong)_columns.Count || (column += (long)gap + 1) >= _columns.Count || !IsFree((int)column, changed))
            {
                return BlockError.BadBitmap;
            }

            position += sizeof(ulong);
        }

        if (position != payload.Length)
        {
            return BlockError.TrailingBytes;
        }

        raw = payload[start..];
        return BlockError.None;
    }

    private bool IsFree(int column, ReadOnlySpan<byte> changed) =>
        (_present[column >> 6] & (1UL << (column & 63))) != 0 && (changed[column >> 3] & (1 << (column & 7))) == 0;

    private static bool TryReadVarint(ReadOnlySpan<byte> text, ref int position, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (position >= text.Length)
            {
                return false;
            }

            byte next = text[position++];
            if (shift == 63 && next > 1)
            {
                position--;
                return false;
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        position--;
        return false;
    }

    // Walks a raw list that FindRaw has checked.
    private ref struct RawReader
    {
        private readonly ReadOnlySpan<byte> _list;
        private int _position;
        private ulong _left;
        private int _column = -1;

        internal RawReader(ReadOnlySpan<byte> list)
        {
            _list = list;
            if (!list.IsEmpty)
            {
                _ = TryReadVarint(list, ref _position, out _left);
            }
        }

        internal double Value { get; private set; }

        internal int Next()
        {
            if (_left == 0)
            {
                return -1;
            }

            _left--;
            _ = TryReadVarint(_list, ref _position, out ulong gap);
            _column += (int)gap + 1;
            Value = BitConverter.Int64BitsToDouble(BinaryPrimitives.ReadInt64LittleEndian(_list[_position..]));
            _position += sizeof(ulong);
            return _column;
        }
    }
}
