using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Tests.Chunks;

public sealed class BlockTests
{
    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void Read_AnyColumnAndRange_GivesExactlyTheRowsThatHaveAValue(int seed)
    {
        Random random = new(seed);
        int columns = random.Next(1, 140);
        int count = random.Next(1, 130);
        Rows rows = new(count, columns);
        List<(long Time, double Value)>[] expected = [.. Enumerable.Range(0, columns).Select(_ => new List<(long, double)>())];
        int[] percent = [.. Enumerable.Range(0, columns).Select(_ => new[] { 0, 10, 90, 100 }[random.Next(4)])];
        long time = random.NextInt64(0, 1L << 45);
        for (int row = 0; row < count; row++)
        {
            Fill(random, rows, row, time, percent, expected);
            time += random.Next(1, 2_000);
        }

        Block block = new BlockEncoder().Encode(rows, count, new uint[columns], WalRange.None);
        Assert.Equal(expected.Sum(column => column.Count), block.Samples);
        Assert.Equal((rows.Times[0], rows.Times[count - 1]), (block.FirstUnixMs, block.LastUnixMs));
        for (int column = 0; column < columns; column++)
        {
            long from = rows.Times[random.Next(count)] - random.Next(2);
            long to = rows.Times[random.Next(count)] + random.Next(2);
            using SampleBuffer buffer = new();
            block.Read(column, from, to, buffer);
            Assert.Equal(expected[column].Where(sample => sample.Time >= from && sample.Time <= to), Pairs(buffer));
        }
    }

    private static void Fill(Random random, Rows rows, int row, long time, int[] percent, List<(long Time, double Value)>[] expected)
    {
        double[] values = new double[percent.Length];
        ulong[] present = new ulong[rows.Words];
        for (int column = 0; column < percent.Length; column++)
        {
            values[column] = Math.Round(random.NextDouble() * 100, column % 4);
            if (random.Next(100) < percent[column])
            {
                present[column >> 6] |= 1UL << (column & 63);
                expected[column].Add((time, values[column]));
            }
        }

        rows.Set(row, time, values, present);
    }

    private static IEnumerable<(long Time, double Value)> Pairs(SampleBuffer buffer)
    {
        List<(long, double)> pairs = [];
        for (int i = 0; i < buffer.Count; i++)
        {
            pairs.Add((buffer.Times[i], buffer.Values[i]));
        }

        return pairs;
    }
}
