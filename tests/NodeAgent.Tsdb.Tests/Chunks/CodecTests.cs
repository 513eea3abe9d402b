using System.Runtime.InteropServices;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Tests.Chunks;

public sealed class CodecTests
{
    private const double MaxExact = 9_007_199_254_740_992; // 2^53

    private static readonly double[] Edges =
    [
        0, -0.0, 1, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, -double.Epsilon, double.MaxValue,
        double.MinValue, MaxExact, MaxExact - 1, MaxExact + 2, -MaxExact, 9.223372036854775807e18, -9.223372036854775808e18, 1e19, 0.1, 0.3,
        1e-6, 1.0 / 3, 123456.789, BitConverter.UInt64BitsToDouble(0x7FF0_0000_0000_0001), BitConverter.UInt64BitsToDouble(0xFFF8_0000_0000_1234),
    ];

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void BitPacking_EveryWidthAndCount_GivesTheNumbersBack(int seed)
    {
        Random random = new(seed);
        for (int width = 0; width <= 64; width++)
        {
            int count = random.Next(0, 200);
            ulong[] values = new ulong[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = width == 0 ? 0 : (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> (64 - width);
            }

            byte[] packed = new byte[BitPacking.ByteCount(count, width)];
            if (width > 0)
            {
                BitPacking.Pack([.. values.Select(value => (long)value)], 0, width, packed);
            }

            ulong[] back = new ulong[count];
            BitPacking.Unpack(packed, width, back);
            Assert.Equal(values, back);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void IntegerCodec_AnyIntegers_GivesThemBack(int seed)
    {
        Random random = new(seed);
        foreach (Func<int, long> shape in IntegerShapes(random))
        {
            long[] values = [.. Enumerable.Range(0, random.Next(1, 300)).Select(shape)];
            ChunkWriter writer = new();
            IntegerCodec.Encode(values, writer);
            long[] back = new long[values.Length];
            ChunkReader reader = new(writer.Written);
            IntegerCodec.Decode(ref reader, back);
            Assert.Equal(values, back);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void ValueCodec_AnyDoubles_GivesEveryBitBack(int seed)
    {
        Random random = new(seed);
        foreach (Func<int, double> shape in ValueShapes(random))
        {
            double[] values = [.. Enumerable.Range(0, random.Next(1, 300)).Select(shape)];
            uint scale = new uint[] { 0, 1, 10, 1_000, 7, uint.MaxValue }[random.Next(6)];
            AssertRoundTrip(values, scale);
        }
    }

    [Fact]
    public void ValueCodec_EveryPairOfEdgeValues_GivesEveryBitBack()
    {
        foreach (double first in Edges)
        {
            foreach (double second in Edges)
            {
                AssertRoundTrip([first, second, first], 0);
                AssertRoundTrip([first, second], 100);
                AssertRoundTrip([first], 1);
            }
        }
    }

    [Theory]
    [InlineData("constant", 128, 9)]
    [InlineData("integer gauge 0..100", 128, 128)]
    [InlineData("tenths 30..90", 128, 180)]
    [InlineData("steady counter", 128, 16)]
    [InlineData("noisy byte counter", 128, 400)]
    [InlineData("full-precision ratio", 128, 128 * 7)]
    public void ValueCodec_TelemetryKinds_StaysWithinItsBytes(string kind, int count, int maxBytes)
    {
        Random random = new(7);
        double total = 1e12;
        double[] values = [.. Enumerable.Range(0, count).Select(i => kind switch
        {
            "constant" => 0.1 + 0.2,
            "integer gauge 0..100" => random.Next(0, 101),
            "tenths 30..90" => random.Next(300, 901) / 10.0,
            "steady counter" => 1_000.0 * i,
            "noisy byte counter" => total += random.Next(0, 10_000_000),
            _ => random.NextDouble(),
        })];
        ChunkWriter writer = new();
        ValueCodec.Encode(values, 0, writer);
        Assert.InRange(writer.Length, 1, maxBytes);
        AssertRoundTrip(values, 0);
    }

    [Fact]
    public void ValueCodec_TruncatedAnywhere_Throws()
    {
        double[] values = [.. Enumerable.Range(0, 100).Select(i => i * 1.1)];
        ChunkWriter writer = new();
        ValueCodec.Encode(values, 0, writer);
        byte[] bytes = writer.Written.ToArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.ThrowsAny<Exception>(() => Decode(bytes.AsSpan(0, length), new double[values.Length]));
        }
    }

    private static void AssertRoundTrip(double[] values, uint scale)
    {
        ChunkWriter writer = new();
        ValueCodec.Encode(values, scale, writer);
        double[] back = new double[values.Length];
        Decode(writer.Written, back);
        Assert.Equal(MemoryMarshal.Cast<double, ulong>(values).ToArray(), MemoryMarshal.Cast<double, ulong>(back.AsSpan()).ToArray());
    }

    private static void Decode(ReadOnlySpan<byte> bytes, double[] into)
    {
        ChunkReader reader = new(bytes);
        ValueCodec.Decode(ref reader, into);
    }

    private static IEnumerable<Func<int, long>> IntegerShapes(Random random)
    {
        long level = random.NextInt64(long.MinValue, long.MaxValue);
        int step = random.Next(-1_000, 1_000);
        yield return _ => level;
        yield return i => level + ((long)i * step);
        yield return i => level + ((long)i * step) + random.Next(-3, 3);
        yield return i => (long)i * i * step;
        yield return _ => random.NextInt64(long.MinValue, long.MaxValue);
        yield return i => i % 2 == 0 ? long.MinValue : long.MaxValue;
        yield return _ => random.Next(0, 100);
    }

    private static IEnumerable<Func<int, double>> ValueShapes(Random random)
    {
        double total = random.Next();
        int digits = random.Next(0, 7);
        yield return _ => Edges[random.Next(Edges.Length)];
        yield return _ => random.NextDouble();
        yield return _ => Math.Round((random.NextDouble() * 1_000) - 500, digits);
        yield return _ => total += random.Next(0, 1_000_000);
        yield return _ => total = random.Next(20) == 0 ? 0 : total + random.Next(1_000);
        yield return i => i == 17 ? double.NaN : 41.5 + (i % 5);
        yield return _ => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
        yield return _ => MaxExact + random.Next(-5, 5);
        yield return _ => random.Next(2) == 0 ? 0.0 : -0.0;
    }
}
