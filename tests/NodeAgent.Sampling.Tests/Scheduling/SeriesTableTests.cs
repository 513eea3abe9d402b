using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class SeriesTableTests
{
    [Fact]
    public void Set_SomeColumns_MarksOnlyThosePresent()
    {
        SeriesTable table = TableOf(130);
        table.Set(0, 1.5);
        table.Set(64, 2.5);
        table.Set(129, 3.5);

        Assert.Equal([1UL, 1UL, 2UL], table.Present.ToArray());
        Assert.Equal((1.5, 2.5, 3.5), (table.Values[0], table.Values[64], table.Values[129]));
        Assert.False(table.IsPresent(1));
    }

    [Fact]
    public void ClearValues_AfterSet_LeavesColumnsWithoutValues()
    {
        SeriesTable table = TableOf(3);
        int version = table.Version;
        table.Set(2, 1);
        table.ClearValues();

        Assert.False(table.IsPresent(2));
        Assert.Equal(version, table.Version);
        Assert.Equal(3, table.Count);
    }

    [Fact]
    public void Rebuild_Always_RaisesTheVersionAndForgetsValues()
    {
        SeriesTable table = TableOf(2);
        table.Set(0, 1);
        int version = table.Version;
        table.Rebuild();
        table.Add(CpuMetrics.Load1);

        Assert.True(table.Version > version);
        Assert.False(table.IsPresent(0));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void CopyFrom_SameColumns_CopiesValuesAndKeepsItsVersion()
    {
        SeriesTable source = TableOf(70);
        SeriesTable copy = new();
        copy.CopyFrom(source);
        int version = copy.Version;
        source.Set(69, 4);
        copy.CopyFrom(source);

        Assert.Equal(version, copy.Version);
        Assert.True(copy.IsPresent(69));
        Assert.False(copy.IsPresent(0));
        Assert.Equal(4, copy.Values[69]);
    }

    [Fact]
    public void CopyFrom_TwoTablesWithTheSameColumnsInTurn_KeepsItsVersion()
    {
        SeriesTable source = TableOf(70);
        SeriesTable kept = new();
        kept.CopyFrom(source);
        SeriesTable copy = new();
        copy.CopyFrom(source);
        int version = copy.Version;
        kept.Set(3, 7);
        copy.CopyFrom(kept);
        Assert.Equal(7, copy.Values[3]);

        copy.CopyFrom(source);
        Assert.Equal(version, copy.Version);
    }

    [Fact]
    public void CopyFrom_FewerColumns_TakesThemOver()
    {
        SeriesTable source = TableOf(70);
        SeriesTable copy = new();
        copy.CopyFrom(source);
        source.Rebuild();
        source.Add(CpuMetrics.Load5);
        copy.CopyFrom(source);

        Assert.Equal("node_load5", Assert.Single(copy.Definitions).Metric);
        Assert.False(copy.IsPresent(0));
    }

    private static SeriesTable TableOf(int columns)
    {
        SeriesTable table = new();
        for (int i = 0; i < columns; i++)
        {
            table.Add(CpuMetrics.SecondsTotal, new Label("cpu", i.ToString()), new Label("mode", "user"));
        }

        return table;
    }
}
