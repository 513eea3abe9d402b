using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Testing;

namespace NodeAgent.Contracts.Tests.Frames;

public sealed class BlockCodecTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Decode_RandomTicks_GivesBackEveryValueAndEveryAbsence(int seed)
    {
        Random random = new(seed);
        SeriesDefinition[] series = RandomSeries(random, random.Next(1, 200));
        BlockEncoder encoder = new(series);
        BlockDecoder decoder = new(series);
        double[] values = new double[series.Length];
        for (int tick = 0; tick < 150; tick++)
        {
            ulong[] present = RandomTick(random, series, values);
            if (random.Next(40) == 0)
            {
                encoder.Reset();
            }

            Assert.Equal(BlockError.None, decoder.Decode(encoder.Encode(values, present)));
            AssertSame(series, values, present, decoder);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Decode_DamagedPayload_ReportsOrReadsButNeverThrows(int seed)
    {
        Random random = new(seed);
        SeriesDefinition[] series = RandomSeries(random, random.Next(1, 60));
        BlockEncoder encoder = new(series);
        BlockDecoder decoder = new(series);
        double[] values = new double[series.Length];
        for (int tick = 0; tick < 60; tick++)
        {
            encoder.Reset();
            byte[] payload = encoder.Encode(values, RandomTick(random, series, values)).ToArray();
            for (int length = 0; length < payload.Length; length++)
            {
                Assert.NotEqual(BlockError.None, decoder.Decode(payload.AsSpan(0, length)));
            }

            Assert.Equal(BlockError.TrailingBytes, decoder.Decode([.. payload, 0]));
            payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
            decoder.Decode(payload);
            random.NextBytes(payload);
            decoder.Decode(payload);
        }
    }

    [Fact]
    public void Decode_BlockWithoutItsPredecessor_AsksForAKey()
    {
        SeriesDefinition[] series = [Counter(1)];
        BlockEncoder encoder = new(series);
        encoder.Encode([5], [1]);
        byte[] second = encoder.Encode([6], [1]).ToArray();

        BlockDecoder decoder = new(series);

        Assert.Equal(BlockError.NeedsKey, decoder.Decode(second));
        encoder.Reset();
        Assert.Equal(BlockError.None, decoder.Decode(encoder.Encode([7], [1])));
        Assert.Equal(7, decoder.Values[0]);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e300)]
    [InlineData(-9.3e15)]
    [InlineData(double.Epsilon)]
    public void Decode_ValueOffTheScale_ComesThroughRawAndDoesNotDisturbTheNext(double odd)
    {
        SeriesDefinition[] series = [Counter(100), Gauge(0), Counter(1)];
        BlockEncoder encoder = new(series);
        BlockDecoder decoder = new(series);
        double[][] ticks = [[1, 2, 3], [odd, odd, odd], [1.5, 2.25, 4]];
        foreach (double[] tick in ticks)
        {
            Assert.Equal(BlockError.None, decoder.Decode(encoder.Encode(tick, [7])));
            AssertSame(series, tick, [7], decoder);
        }
    }

    [Fact]
    public void Encode_HostLikeTelemetry_StaysUnderTwoBytesASample()
    {
        // 400 columns as a quiet server shows them: half rest, a fifth are steady counters, the rest are noisy bytes and levels.
        Random random = new(7);
        SeriesDefinition[] series = [.. Enumerable.Range(0, 400).Select(i => i % 10 < 7 ? Counter(i % 3 == 0 ? 100u : 1u) : Gauge(i % 20 == 9 ? 0u : 1u))];
        double[] values = [.. series.Select((_, i) => 1000.0 * i)];
        ulong[] present = [.. Enumerable.Repeat(ulong.MaxValue, 7)];
        BlockEncoder encoder = new(series);
        long bytes = 0;
        for (int tick = 0; tick < 600; tick++)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += (i % 10) switch { < 5 => 0, < 7 => 0.98 + (random.Next(5) / 100.0), 7 => random.Next(2000), 8 => random.Next(-50, 50), _ => random.Next(3) - 1 };
            }

            if (tick % 60 == 0)
            {
                encoder.Reset();
            }

            bytes += encoder.Encode(values, present).Length;
        }

        Assert.InRange(bytes / (600.0 * 400), 0.1, 2.0);
    }

    [Fact]
    public void EncodeAndDecode_AfterWarmUp_AllocateNothing()
    {
        SeriesDefinition[] series = [.. Enumerable.Range(0, 300).Select(i => i % 2 == 0 ? Counter(1) : Gauge(0))];
        BlockEncoder encoder = new(series);
        BlockDecoder decoder = new(series);
        double[] values = new double[300];
        ulong[] present = [.. Enumerable.Repeat(ulong.MaxValue, 5)];
        decoder.Decode(encoder.Encode(values, present));

        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int tick = 0; tick < 100; tick++)
            {
                values[tick] = tick;
                decoder.Decode(encoder.Encode(values, present));
            }
        }));
    }

    private static void AssertSame(SeriesDefinition[] series, double[] values, ulong[] present, BlockDecoder decoder)
    {
        for (int i = 0; i < values.Length; i++)
        {
            ulong bit = 1UL << (i & 63);
            Assert.Equal(present[i >> 6] & bit, decoder.Present[i >> 6] & bit);
            if ((present[i >> 6] & bit) != 0)
            {
                double expected = OnScale(values[i], series[i].Scale);
                Assert.True(expected.Equals(decoder.Values[i]), $"column {i} scale {series[i].Scale}: {expected:R} came back as {decoder.Values[i]:R}");
            }
        }
    }

    // The contract's words: values are whole multiples of 1/scale, unless they have no place there.
    private static double OnScale(double value, uint scale) =>
        scale == 0 || !(Math.Abs(value * scale) <= 9007199254740992.0) ? value : Math.Round(value * scale) / scale;

    private static ulong[] RandomTick(Random random, SeriesDefinition[] series, double[] values)
    {
        ulong[] present = new ulong[(series.Length + 63) / 64];
        bool holes = random.Next(3) == 0;
        for (int i = 0; i < series.Length; i++)
        {
            if (!holes || random.Next(5) > 0)
            {
                present[i >> 6] |= 1UL << (i & 63);
            }

            values[i] = random.Next(30) switch
            {
                0 => double.NaN,
                1 => double.NegativeInfinity,
                2 => random.NextDouble() * 1e18,
                3 => -random.Next(),
                < 15 => values[i],
                < 22 => double.IsFinite(values[i]) ? values[i] + (series[i].Scale == 0 ? random.NextDouble() : random.Next(100)) : 0,
                _ => random.Next(1000),
            };
        }

        return present;
    }

    private static SeriesDefinition[] RandomSeries(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(2) == 0 ? Counter(RandomScale(random)) : Gauge(RandomScale(random)))];

    private static uint RandomScale(Random random) => random.Next(4) switch { 0 => 0, 1 => 1, 2 => 100, _ => 1000 };

    private static SeriesDefinition Counter(uint scale) => new("c_total", MetricKind.Counter, Unit.None, scale, []);

    private static SeriesDefinition Gauge(uint scale) => new("g", MetricKind.Gauge, Unit.None, scale, []);
}
