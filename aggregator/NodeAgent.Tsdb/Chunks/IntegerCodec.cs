using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode(ReadOnlySpan<long> values, ChunkWriter writer)
    {
        Span<long> deltas = stackalloc long[values.Length];
        Span<long> changes = stackalloc long[values.Length];
        LaneMath.Differences(values, deltas);
        deltas = deltas[Math.Min(1, deltas.Length)..];
        LaneMath.Differences(deltas, changes);
        changes = changes[Math.Min(1, deltas.Length)..deltas.Length];
        switch (Cheapest(values, deltas, changes))
        {
            case Form.Values:
                writer.WriteByte((byte)Form.Values);
                Pack(values, writer);
                break;
            case Form.Deltas:
                writer.WriteByte((byte)Form.Deltas);
                writer.WriteSigned(values[0]);
                Pack(deltas, writer);
                break;
            default:
                writer.WriteByte((byte)Form.DeltasOfDeltas);
                writer.WriteSigned(values[0]);
                writer.WriteSigned(deltas[0]);
                Pack(changes, writer);
                break;
        }
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
        Span<ulong> packed = MemoryMarshal.Cast<long, ulong>(coded);
        BitPacking.Unpack(reader.Take(BitPacking.ByteCount(coded.Length, width)), width, packed);
        switch (form)
        {
            case 0:
                LaneMath.AddToAll(coded, min);
                break;
            case 1:
                Sum(into, min);
                break;
            case 2:
                if (width == 0 && min == 0)
                {
                    LaneMath.FillSteps(into); // an even pace, as most time stamps have
                }
                else
                {
                    SumTwice(into, min);
                }

                break;
            default:
                throw new InvalidDataException($"A chunk has the integer form {form}, which does not exist.");
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Form Cheapest(ReadOnlySpan<long> values, ReadOnlySpan<long> deltas, ReadOnlySpan<long> changes)
    {
        if (values.Length < 3)
        {
            return Form.Values;
        }

        // The forms with differences store first values besides, two bytes each or more.
        int valueBits = LaneMath.Width(values) * values.Length;
        int deltaBits = (LaneMath.Width(deltas) * deltas.Length) + 16;
        int changeBits = (LaneMath.Width(changes) * changes.Length) + 32;
        if (valueBits <= deltaBits && valueBits <= changeBits)
        {
            return Form.Values;
        }

        return deltaBits <= changeBits ? Form.Deltas : Form.DeltasOfDeltas;
    }

    private static void Pack(ReadOnlySpan<long> numbers, ChunkWriter writer)
    {
        (long min, long max) = LaneMath.MinMax(numbers);
        int width = BitPacking.WidthOf((ulong)(max - min));
        writer.WriteSigned(min);
        writer.WriteByte((byte)width);
        if (width > 0)
        {
            BitPacking.Pack(numbers, min, width, writer.Take(BitPacking.ByteCount(numbers.Length, width)));
        }
    }

    /// <summary>How the packed numbers relate to the values: the order of the differences. Stored; numbers never change meaning.</summary>
    private enum Form : byte
    {
        Values = 0,
        Deltas = 1,
        DeltasOfDeltas = 2,
    }
}
