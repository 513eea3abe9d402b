using System.Buffers.Binary;

namespace NodeAgent.Fuzz.Engine;

/// <summary>Inputs near the seeds; the same seed number gives the same inputs.</summary>
internal sealed class Mutator(IFuzzTarget target, int seed)
{
    internal const int MaxLength = 64 * 1024; // splices would otherwise grow without end

    // Where signs, widths and lengths change: the numbers that off-by-one errors live next to.
    private static readonly long[] Edges =
    [
        0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, int.MaxValue, 1L << 31, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue,
    ];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var input = new List<byte>(AnySeed());
        for (int left = _random.Next(1, 6); left > 0; left--)
        {
            Mutate(input);
        }

        return [.. input.Take(MaxLength)];
    }

    private void Mutate(List<byte> input)
    {
        int at = _random.Next(input.Count + 1);
        switch (_random.Next(8))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                input.RemoveRange(at, _random.Next(Math.Min(input.Count - at, 16) + 1));
                break;
            case 2: // what a peer that dies in the middle leaves
                input.RemoveRange(at, input.Count - at);
                break;
            case 3:
                input.InsertRange(at, Piece(AnySeed()));
                break;
            case 4:
                input.InsertRange(at, Piece([.. input]));
                break;
            case 5:
                Overwrite(input, at, Edge());
                break;
            case 6 when target.Dictionary.Count > 0:
                input.InsertRange(at, target.Dictionary[_random.Next(target.Dictionary.Count)]);
                break;
            default:
                input.Insert(at, (byte)_random.Next(256));
                break;
        }
    }

    private byte[] AnySeed() => target.Seeds[_random.Next(target.Seeds.Count)];

    private ReadOnlySpan<byte> Piece(byte[] of)
    {
        int start = _random.Next(of.Length + 1);
        return of.AsSpan(start, _random.Next(of.Length - start + 1));
    }

    // As a number of a binary format, in either byte order, or as text.
    private byte[] Edge()
    {
        long value = Edges[_random.Next(Edges.Length)];
        byte[] bytes = new byte[sizeof(long)];
        switch (_random.Next(3))
        {
            case 0:
                return System.Text.Encoding.ASCII.GetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
            case 1:
                BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
                return bytes[..(1 << _random.Next(4))];
            default:
                BinaryPrimitives.WriteInt64BigEndian(bytes, value);
                return bytes[^(1 << _random.Next(4))..];
        }
    }

    private static void Overwrite(List<byte> input, int at, byte[] with)
    {
        input.RemoveRange(at, Math.Min(with.Length, input.Count - at));
        input.InsertRange(at, with);
    }
}
