namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// A column of integers as the smallest of three forms, each bit-packed above its minimum: the values (levels), their differences
/// (counters, ramps) or the differences of those (steady counters, time stamps). A column that does not vary in its form costs a
/// few bytes whatever its length.
/// Layout: form (0, 1, 2), the first values that the form cannot give (as many as its number), minimum, width, packed numbers.
/// All arithmetic wraps, so every 64-bit integer survives.
/// </summary>
internal static class IntegerCodec
{
    /// <summary>Most numbers in a column; scratch lives on the stack.</summary>
    public const int MaxCount = 1_024;

    public static void Encode(ReadOnlySpan<long> values, ChunkWriter writer)
    {
        Span<long> scratch = stackalloc long[values.Length];
        Form form = Cheapest(values);
        values.CopyTo(scratch);
        ReadOnlySpan<long> coded = Difference(scratch, (int)form);
        writer.WriteByte((byte)form);
        for (int i = 0; i < Math.Min((int)form, values.Length); i++)
        {
            writer.WriteSigned(scratch[i]);
        }

        (long min, int width) = Range(coded);
        writer.WriteSigned(min);
        writer.WriteByte((byte)width);
        Span<ulong> above = stackalloc ulong[coded.Length];
        for (int i = 0; i < coded.Length; i++)
        {
            above[i] = (ulong)(coded[i] - min);
        }

        BitPacking.Pack(above, width, writer.Take(BitPacking.ByteCount(coded.Length, width)));
    }

    public static void Decode(ref ChunkReader reader, Span<long> into)
    {
        int form = reader.ReadByte();
        int head = Math.Min(form, into.Length);
        for (int i = 0; i < head; i++)
        {
            into[i] = reader.ReadSigned();
        }

        long min = reader.ReadSigned();
        int width = reader.ReadByte();
        Span<long> coded = into[head..];
        Span<ulong> packed = System.Runtime.InteropServices.MemoryMarshal.Cast<long, ulong>(coded);
        BitPacking.Unpack(reader.Take(BitPacking.ByteCount(coded.Length, width)), width, packed);
        switch (form)
        {
            case 0:
                AddToAll(coded, min);
                break;
            case 1:
                Sum(into, min);
                break;
            case 2:
                SumTwice(into, min);
                break;
            default:
                throw new InvalidDataException($"A chunk has the integer form {form}, which does not exist.");
        }
    }

    private static void AddToAll(Span<long> values, long min)
    {
        if (min != 0)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += min;
            }
        }
    }

    private static void Sum(Span<long> values, long min)
    {
        long value = values.Length > 0 ? values[0] : 0;
        for (int i = 1; i < values.Length; i++)
        {
            value += values[i] + min;
            values[i] = value;
        }
    }

    private static void SumTwice(Span<long> values, long min)
    {
        if (values.Length < 2)
        {
            return;
        }

        long delta = values[1];
        long value = values[0] + delta;
        values[1] = value;
        for (int i = 2; i < values.Length; i++)
        {
            delta += values[i] + min;
            value += delta;
            values[i] = value;
        }
    }

    /// <summary>
    /// Replaces values by their differences of an order, in place, and returns the part that is packed; in front of it stand the
    /// first value and, for order 2, the first difference.
    /// </summary>
    private static Span<long> Difference(Span<long> values, int order)
    {
        for (int pass = 1; pass <= order; pass++)
        {
            for (int i = values.Length - 1; i >= pass; i--)
            {
                values[i] -= values[i - 1];
            }
        }

        return values[Math.Min(order, values.Length)..];
    }

    private static Form Cheapest(ReadOnlySpan<long> values)
    {
        if (values.Length < 3)
        {
            return Form.Values;
        }

        long previous = values[1];
        long delta = values[1] - values[0];
        (long Min, long Max) level = (Math.Min(values[0], values[1]), Math.Max(values[0], values[1]));
        (long Min, long Max) first = (delta, delta);
        (long Min, long Max) second = (long.MaxValue, long.MinValue);
        for (int i = 2; i < values.Length; i++)
        {
            long value = values[i];
            long nextDelta = value - previous;
            long change = nextDelta - delta;
            level = (Math.Min(level.Min, value), Math.Max(level.Max, value));
            first = (Math.Min(first.Min, nextDelta), Math.Max(first.Max, nextDelta));
            second = (Math.Min(second.Min, change), Math.Max(second.Max, change));
            previous = value;
            delta = nextDelta;
        }

        int valueBits = Width(level) * values.Length;
        int deltaBits = (Width(first) * (values.Length - 1)) + 16;
        int secondBits = (Width(second) * (values.Length - 2)) + 32;
        return valueBits <= deltaBits && valueBits <= secondBits ? Form.Values : deltaBits <= secondBits ? Form.Deltas : Form.DeltasOfDeltas;
    }

    private static int Width((long Min, long Max) range) => BitPacking.WidthOf((ulong)(range.Max - range.Min));

    private static (long Min, int Width) Range(ReadOnlySpan<long> values)
    {
        if (values.IsEmpty)
        {
            return (0, 0);
        }

        (long Min, long Max) range = (long.MaxValue, long.MinValue);
        foreach (long value in values)
        {
            range = (Math.Min(range.Min, value), Math.Max(range.Max, value));
        }

        return (range.Min, Width(range));
    }

    /// <summary>How the packed numbers relate to the values: the order of the differences. Stored; numbers never change meaning.</summary>
    private enum Form : byte
    {
        Values = 0,
        Deltas = 1,
        DeltasOfDeltas = 2,
    }
}
