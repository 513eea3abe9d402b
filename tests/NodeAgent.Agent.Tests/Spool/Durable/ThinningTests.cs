using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class ThinningTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Spool_ShortOfRoom_CountsEverySampleExactly(int seed)
    {
        using SpoolBench bench = new(seed, columns: 60);
        bench.Plan = bench.Plan with { MaxBytes = 1L << 20 };
        bench.Open();
        Random random = new(seed);
        int changes = 0;
        for (int i = 0; i < 60_000; i++)
        {
            if (random.Next(10_000) == 0 && ++changes < 8)
            {
                bench.ChangeColumns();
            }

            bench.Tick(withEvent: random.Next(700) == 0);
            if (random.Next(10_000) == 0)
            {
                bench.Spool.Dispose();
                bench.Open();
            }

            Assert.True(bench.Disk.UsedBytes <= bench.Plan.MaxBytes, $"{bench.Disk.UsedBytes} bytes on disk at tick {i}");
        }

        Assert.True(bench.Spool.Counts.ThinnedRecords > 0 && bench.Spool.Counts.DroppedRecords > 0, $"{bench.Spool.Counts} proves little");
        Assert.Equal(0UL, bench.Spool.Counts.LostRecords);
        AssertAccounted(bench);

        SpoolCounts before = bench.Spool.Counts;
        bench.Spool.Dispose();
        bench.Open();
        Assert.Equal(before, bench.Spool.Counts);
        AssertAccounted(bench);
    }

    [Fact]
    public void ThinnedFrame_Window_HasLastMinMaxAndAverage()
    {
        using SpoolBench bench = new(7, columns: 4);
        bench.Plan = bench.Plan with { MaxBytes = 1L << 20 };
        bench.Open();
        Dictionary<ulong, double[]> made = [];
        while (bench.Spool.Counts.ThinnedRecords == 0)
        {
            ulong sequence = bench.Spool.NextSequence;
            bench.Tick();
            made[sequence] = [.. Enumerable.Range(0, 4).Select(i => bench.Table.IsPresent(i) ? bench.Table.Values[i] : double.NaN)];
        }

        int checkedFrames = 0;
        bench.Decode(onFrame: reading =>
        {
            Frame frame = reading.Last;
            if (frame.StandsFor < 2)
            {
                return;
            }

            ulong first = frame.Sequence - frame.StandsFor + 1;
            Schema schema = reading.SchemaOf("test");
            double[] values = reading.Values["test"];
            for (int column = 0; column < values.Length; column++)
            {
                int own = int.Parse(schema.Series[column].Labels.Single(label => label.Name == "n").Value);
                double[] window = [.. Enumerable.Range(0, (int)frame.StandsFor).Select(i => made[first + (ulong)i][own]).Where(value => !double.IsNaN(value))];
                string stat = schema.Series[column].Labels.SingleOrDefault(label => label.Name == "stat")?.Value ?? "last";
                if (window.Length == 0)
                {
                    Assert.True(double.IsNaN(values[column]));
                    continue;
                }

                double expected = stat switch { "min" => window.Min(), "max" => window.Max(), "avg" => window.Average(), _ => window[^1] };
                Assert.Equal(expected, values[column], stat == "avg" ? 0.000_51 : 0.005_01);
            }

            checkedFrames++;
        });
        Assert.True(checkedFrames > 100, $"{checkedFrames} thinned frames");
    }

    // Every record is there as it was, or within a merged one, or counted; so is every sample.
    private static void AssertAccounted(SpoolBench bench)
    {
        HashSet<ulong> represented = [];
        HashSet<ulong> events = [];
        ulong thinned = 0;
        long samples = 0;
        bench.Decode(onFrame: reading =>
        {
            uint standsFor = Math.Max(1, reading.Last.StandsFor);
            for (uint i = 0; i < standsFor; i++)
            {
                Assert.True(represented.Add(reading.Last.Sequence - i), $"{reading.Last.Sequence - i} is there twice");
            }

            thinned += standsFor > 1 ? standsFor : 0;
            foreach ((string sampler, double[] values) in reading.Values)
            {
                Schema schema = reading.SchemaOf(sampler);
                samples += values.Where((value, i) => !double.IsNaN(value) && schema.Series[i].Labels.All(label => label.Name != "stat")).Count();
            }
        }, onEvent: sequence => events.Add(sequence));

        SpoolCounts counts = bench.Spool.Counts;
        long appendedSamples = bench.Appended.Values.Sum(record => (long)record.Samples);
        Assert.Equal((ulong)bench.Appended.Count, (ulong)represented.Count + (ulong)events.Count + counts.DroppedRecords);
        Assert.Equal((ulong)appendedSamples, (ulong)samples + counts.ThinnedSamples + counts.DroppedSamples);
        Assert.True(thinned <= counts.ThinnedRecords, $"{thinned} records are merged, {counts.ThinnedRecords} counted");

        // Nothing but the oldest was dropped, and no event before that.
        ulong oldest = Math.Min(represented.Min(), events.DefaultIfEmpty(ulong.MaxValue).Min());
        Assert.Equal(bench.Appended.Count(pair => pair.Key.Sequence >= oldest), represented.Count + events.Count);
    }
}
