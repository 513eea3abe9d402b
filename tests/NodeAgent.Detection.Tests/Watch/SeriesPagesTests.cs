using NodeAgent.Detection.Watch;

namespace NodeAgent.Detection.Tests.Watch;

public sealed class SeriesPagesTests
{
    [Fact]
    public void TryAdd_BeyondTheBound_IsRefusedUntilSomethingIsRemoved()
    {
        SeriesPages pages = new(1, new WatchOptions());
        List<WatchedRow> rows = [];
        while (pages.TryAdd(new Subject("n", "", $"m{rows.Count}"), SeriesTraits.None, TimeSpan.FromSeconds(1), out WatchedRow row))
        {
            rows.Add(row);
        }

        Assert.Equal(rows.Count, rows.Distinct().Count());
        Assert.Equal((rows.Count, SeriesPages.PageBytes), (pages.Count, pages.Bytes));
        pages.Remove(rows[7], 0, []);
        Assert.True(pages.TryAdd(new Subject("n", "", "new"), SeriesTraits.None, TimeSpan.FromSeconds(1), out WatchedRow again));
        Assert.Equal(rows[7], again);
    }

    [Fact]
    public void Remove_ARowThatIsUsedAgain_BeginsWithoutAnyMemory()
    {
        SeriesPages pages = new(long.MaxValue, new WatchOptions { AlarmsPerSeriesDay = 10 });
        pages.TryAdd(new Subject("n", "", "old"), SeriesTraits.Moves, TimeSpan.FromSeconds(1), out WatchedRow old);
        List<Finding> findings = [];
        for (int second = 0; second < 2_000; second++)
        {
            pages.Sample(old, 100 + (second % 7), second * 1000L, findings);
        }

        pages.Remove(old, 2_000_000, findings);
        pages.TryAdd(new Subject("n", "", "new"), SeriesTraits.None, TimeSpan.FromSeconds(1), out WatchedRow young);
        findings.Clear();
        for (int second = 2_000; second < 2_100; second++)
        {
            pages.Sample(young, -5_000 + (second % 3), second * 1000L, findings);
        }

        Assert.Equal(old, young);
        Assert.Empty(findings);
    }

    [Fact]
    public void Remove_WhileItsSensorStandsStill_TakesThatBack()
    {
        SeriesPages pages = new(long.MaxValue, new WatchOptions());
        pages.TryAdd(new Subject("n", "gpu0", "power"), SeriesTraits.Moves, TimeSpan.FromSeconds(1), out WatchedRow row);
        List<Finding> findings = [];
        for (int second = 0; second < 900; second++)
        {
            pages.Sample(row, second < 600 ? 100 + (second * 7919 % 13) : 100, second * 1000L, findings);
        }

        Assert.Contains(findings, finding => finding is { Kind: FindingKind.FlatLine, Clears: false });
        findings.Clear();
        pages.Remove(row, 900_000, findings);
        Assert.True(Assert.Single(findings) is { Kind: FindingKind.FlatLine, Clears: true });
    }

    [Fact]
    public void Sample_BeforeItHasLearned_SaysNothing()
    {
        SeriesPages pages = new(long.MaxValue, new WatchOptions { AlarmsPerSeriesDay = 10, LearnFor = 3_600 });
        pages.TryAdd(new Subject("n", "", "m"), SeriesTraits.None, TimeSpan.FromSeconds(1), out WatchedRow row);
        List<Finding> findings = [];
        for (int second = 0; second < 3_500; second++)
        {
            pages.Sample(row, second < 3_000 ? 100 + (second % 7) : 500, second * 1000L, findings);
        }

        Assert.Empty(findings);
    }
}
