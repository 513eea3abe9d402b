using NodeAgent.Detection.Lanes;
using NodeAgent.Testing;

namespace NodeAgent.Detection.Tests.Lanes;

public sealed class SeriesLanesTests
{
    private const long Step = 300_000;
    private const int Day = 288;

    [Theory]
    [InlineData(137)]
    [InlineData(1500)]
    [InlineData(2999)]
    public void Update_SeriesCutShort_EveryEarlierVerdictIsTheSame(int cut)
    {
        double[] values = Daily(3000, 0.1);
        values[1200] = 40;

        LaneVerdict[] whole = Run(values);
        LaneVerdict[] part = Run(values[..cut]);

        Assert.Equal(whole[..cut], part);
    }

    [Fact]
    public void Update_OtherSeriesBeside_ChangeNothing()
    {
        double[] values = Daily(1500, 0.1);
        var lanes = new SeriesLanes(3);
        LaneVerdict[] beside = new LaneVerdict[values.Length];
        for (int row = 0; row < values.Length; row++)
        {
            lanes.Update(0, -1e9 * row, row * Step);
            beside[row] = lanes.Update(1, values[row], row * Step);
            lanes.Update(2, row % 2, row * Step);
        }

        Assert.Equal(Run(values), beside);
    }

    [Fact]
    public void Update_LevelFarOutsideEverythingSeen_IsNewAndSaysAgainstWhat()
    {
        double[] values = Daily(2000, 0.1);
        var lanes = new SeriesLanes(1);
        for (int row = 0; row < values.Length; row++)
        {
            lanes.Update(0, values[row], row * Step);
        }

        LaneVerdict verdict = lanes.Update(0, 60, values.Length * Step, out NoveltyEvidence evidence);

        Assert.True(verdict.Novelty > 0.5f, $"{verdict.Novelty}");
        Assert.True(evidence.Seen > evidence.High || evidence.Seen < evidence.Low, $"{evidence}");
        Assert.True(verdict.Residual.Score >= 20, $"{verdict.Residual}");
    }

    [Fact]
    public void Update_SameNoveltyAgainAtOnce_IsTheSameStory()
    {
        double[] values = Daily(2000, 0.1);
        var lanes = new SeriesLanes(1);
        for (int row = 0; row < values.Length; row++)
        {
            lanes.Update(0, values[row], row * Step);
        }

        float first = lanes.Update(0, 60, values.Length * Step).Novelty;
        lanes.Update(0, values[2], (values.Length + 1) * Step);

        Assert.True(first > 0);
        Assert.Equal(0, lanes.Update(0, 60, (values.Length + 2) * Step).Novelty);
    }

    [Fact]
    public void Update_DailyPattern_IsFoundWithoutBeingToldAndExpected()
    {
        double[] values = Daily(Day * 6, 0.1);
        LaneVerdict[] verdicts = Run(values);

        LaneVerdict[] last = verdicts[^Day..];
        Assert.True(last.Count(verdict => verdict.Residual.Seasonal) > Day * 9 / 10);
        Assert.True(last.Select((verdict, at) => Math.Abs(verdict.Residual.Expected - values[^(Day - at)])).Average() < 1);
    }

    [Fact]
    public void Update_ConstantSeries_SaysNothing()
    {
        LaneVerdict[] verdicts = Run([.. Enumerable.Repeat(42.5, 5000)]);

        Assert.All(verdicts, verdict => Assert.Equal((0f, 0f), (verdict.Novelty, verdict.Residual.Score)));
    }

    [Fact]
    public void Update_QuietNoise_IsNewAtMostAFewTimesAMonth()
    {
        double[] values = Daily(40_000, 0.5); // 139 days of five minutes

        int news = Run(values).Count(verdict => verdict.Novelty > 0.016f);

        Assert.InRange(news, 0, 25);
    }

    [Fact]
    public void Update_ValueThatIsNoNumber_IsRefusedCountedAndForgotten()
    {
        double[] values = Daily(1000, 0.1);
        var lanes = new SeriesLanes(1);
        LaneVerdict[] with = new LaneVerdict[values.Length];
        for (int row = 0; row < values.Length; row++)
        {
            lanes.Update(0, row % 2 == 0 ? double.NaN : double.PositiveInfinity, row * Step);
            with[row] = lanes.Update(0, values[row], row * Step);
        }

        Assert.Equal(1000, lanes.Refused);
        Assert.Equal(Run(values), with);
    }

    [Fact]
    public void Update_HugeValuesThatVaryLittle_AreStillToldApart()
    {
        double[] values = [.. Daily(2000, 0.1).Select(value => 5e10 + (value * 1e6))];
        var lanes = new SeriesLanes(1);
        for (int row = 0; row < values.Length; row++)
        {
            lanes.Update(0, values[row], row * Step);
        }

        Assert.True(lanes.Update(0, 5e10 + 60e6, values.Length * Step).Residual.Score > 15);
    }

    [Fact]
    public void Clear_RowOfAnotherSeries_IsAsNew()
    {
        double[] values = Daily(800, 0.1);
        var lanes = new SeriesLanes(1);
        for (int row = 0; row < 900; row++)
        {
            lanes.Update(0, 1e6 * (row % 7), row * Step);
        }

        lanes.Clear(0);
        LaneVerdict[] after = [.. values.Select((value, row) => lanes.Update(0, value, row * Step))];

        Assert.Equal(Run(values), after);
    }

    [Fact]
    public void BytesPerSeries_AllAlwaysOnLanes_IsAtMostAKibibyte()
    {
        Assert.InRange(SeriesLanes.BytesPerSeries, 500, 1024);
    }

    [Fact]
    public void Update_ManySamples_AllocatesNothing()
    {
        double[] values = Daily(3000, 0.5);
        var lanes = new SeriesLanes(1);
        lanes.Update(0, values[0], 0);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int row = 1; row < values.Length; row++)
            {
                lanes.Update(0, values[row], row * Step);
            }
        }));
    }

    private static LaneVerdict[] Run(double[] values)
    {
        var lanes = new SeriesLanes(1);
        return [.. values.Select((value, row) => lanes.Update(0, value, row * Step))];
    }

    private static double[] Daily(int rows, double noise)
    {
        ulong state = 12345;
        return [.. Enumerable.Range(0, rows).Select(row => 20 + (8 * Math.Sin(row * 2 * Math.PI / Day)) + (noise * Noise(ref state)))];
    }

    private static double Noise(ref ulong state)
    {
        double sum = -6;
        for (int at = 0; at < 12; at++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            sum += (state >> 11) * (1.0 / (1UL << 53));
        }

        return sum;
    }
}
