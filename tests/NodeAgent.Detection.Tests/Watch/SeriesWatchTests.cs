using NodeAgent.Detection.Watch;

namespace NodeAgent.Detection.Tests.Watch;

public sealed class SeriesWatchTests
{
    [Fact]
    public void Sample_LevelThatJumps_IsSaidOnceWithExpectedAndSeenAndEnds()
    {
        var watch = new SeriesWatch(1, 1, new WatchOptions { AlarmsPerSeriesDay = 10, NoveltyThreshold = float.MaxValue });
        int series = watch.Add(new Subject("n1", "gpu0", "power"));
        List<Finding> findings = [];
        for (int second = 0; second < 6000; second++)
        {
            double value = 500 + Wobble(second) + (second is >= 5000 and < 5100 ? 200 : 0);
            watch.Sample(series, value, second * 1000L, findings);
        }

        Finding[] during = [.. findings.Where(finding => finding.UnixMs is >= 5_000_000 and < 5_100_000)];
        Finding jump = Assert.Single(during);
        Assert.InRange(jump.UnixMs, 5_000_000, 5_003_000);
        Assert.True(jump.SinceUnixMs <= jump.UnixMs);
        Assert.InRange(jump.Expected, 495, 505);
        Assert.InRange(jump.Seen, 690, 710);
        Assert.Contains(findings, finding => finding.Clears && finding.UnixMs > 5_100_000);
    }

    [Fact]
    public void Sample_HealthySeries_StaysWithinTheAlarmBudget()
    {
        const int Series = 40;
        var watch = new SeriesWatch(Series, 1, new WatchOptions { AlarmsPerSeriesDay = 10, NoveltyThreshold = float.MaxValue });
        List<Finding> findings = [];
        for (int series = 0; series < Series; series++)
        {
            watch.Add(new Subject("n" + series));
        }

        const int Seconds = 20_000;
        for (int second = 0; second < Seconds; second++)
        {
            for (int series = 0; series < Series; series++)
            {
                watch.Sample(series, 50 + Wobble((second * 13) + (series * 7717)), second * 1000L, findings);
            }
        }

        double perSeriesDay = findings.Count(finding => !finding.Clears) / (double)Series / (Seconds / 86_400.0);
        Assert.True(perSeriesDay <= 10, $"{perSeriesDay}");
    }

    [Fact]
    public void Sample_SensorStandsStill_OnlyWhereItIsKnownToMove()
    {
        var watch = new SeriesWatch(2, 1);
        int moves = watch.Add(new Subject("n1", "gpu0", "temperature"), SeriesTraits.Moves);
        int state = watch.Add(new Subject("n1", "gpu0", "state"));
        List<Finding> findings = [];
        for (int second = 0; second < 1200; second++)
        {
            double value = second < 1000 ? 60 + Math.Round(Wobble(second)) : 61;
            watch.Sample(moves, value, second * 1000L, findings);
            watch.Sample(state, value, second * 1000L, findings);
        }

        Finding stuck = Assert.Single(findings, finding => finding.Kind == FindingKind.FlatLine);
        Assert.Equal("temperature", stuck.Subject.Metric);
        Assert.InRange(stuck.UnixMs, 1_005_000, 1_120_000);
    }

    private static double Wobble(int at)
    {
        ulong mixed = ((ulong)at * 0x9E3779B97F4A7C15) ^ 0x5555;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        mixed ^= mixed >> 31;
        return ((mixed & 0xFFFF) + ((mixed >> 16) & 0xFFFF) + ((mixed >> 32) & 0xFFFF) + (mixed >> 48) - 131_070.0) / 37_837.0;
    }
}
