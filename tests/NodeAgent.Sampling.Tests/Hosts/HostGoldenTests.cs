using System.Globalization;
using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>Every sampler of the catalogue on every captured host: the exact series and values it makes.</summary>
public sealed class HostGoldenTests
{
    private static readonly SampleTime Now = new(WallUnixMs: 1_767_225_600_123, MonotonicNs: 3_600_000_000_000);

    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> cases = [];
        foreach (string host in HostFixtures.Names)
        {
            foreach (SamplerEntry entry in SamplerCatalog.Linux)
            {
                cases.Add(host, entry.Name);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sample_OfACapturedHost_GivesTheGoldenSeries(string host, string sampler)
    {
        ISampler made = Make(host, sampler);
        made.Series.ClearValues();
        SampleStatus status = made.Sample(Now);

        GoldenFile.Check(Path.Combine(HostFixtures.Directory, host, "golden", sampler + ".txt"), Describe(status, made.Series));
        (made as IDisposable)?.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sample_Again_KeepsItsColumnsAndAllocatesNothing(string host, string sampler)
    {
        ISampler made = Make(host, sampler);
        Repeat(made, 10);
        int version = made.Series.Version;

        Assert.Equal(0, Allocations.Of(() => Repeat(made, 100)));
        Assert.Equal(version, made.Series.Version);
        (made as IDisposable)?.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Series_OfACapturedHost_CarryTheLabelsTheCatalogueDeclares(string host, string sampler)
    {
        Dictionary<string, MetricDefinition> catalogue = MetricCatalog.All.ToDictionary(metric => metric.Name, StringComparer.Ordinal);
        ISampler made = Make(host, sampler);
        made.Sample(Now);

        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (SeriesDefinition series in made.Series.Definitions)
        {
            Assert.True(catalogue.TryGetValue(series.Metric, out MetricDefinition? metric), $"{series.Metric} is not in MetricCatalog");
            Assert.Equal(metric.Kind, series.Kind);
            Assert.All(series.Labels, label => Assert.Contains(label.Name, metric.Labels));
            Assert.True(seen.Add(series.ToString()), $"{series} twice");
        }

        (made as IDisposable)?.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Values_OfACapturedHost_AreWholeMultiplesOfTheDeclaredResolution(string host, string sampler)
    {
        ISampler made = Make(host, sampler);
        made.Sample(Now);
        for (int i = 0; i < made.Series.Count; i++)
        {
            SeriesDefinition series = made.Series.Definitions[i];
            if (series.Scale > 0 && made.Series.IsPresent(i))
            {
                double value = made.Series.Values[i];
                Assert.True(
                    Math.Round(value * series.Scale) / series.Scale == value,
                    $"{series} = {value:R} is no multiple of 1/{series.Scale}");
            }
        }

        (made as IDisposable)?.Dispose();
    }

    private static ISampler Make(string host, string sampler) =>
        SamplerCatalog.Linux.Single(entry => entry.Name == sampler)
            .Create(new SamplerContext { Roots = HostFixtures.Roots(host), Timex = FixedTimex.Synchronised, Mounts = new FixedMounts(), PageBytes = 4096 });

    private static void Repeat(ISampler sampler, int times)
    {
        for (int i = 0; i < times; i++)
        {
            sampler.Series.ClearValues();
            sampler.Sample(Now);
        }
    }

    private static string Describe(SampleStatus status, SeriesTable series)
    {
        StringBuilder text = new();
        text.Append("# ").Append(status).Append('\n');
        for (int i = 0; i < series.Count; i++)
        {
            if (series.IsPresent(i))
            {
                text.Append(series.Definitions[i]).Append(' ');
                text.Append(series.Values[i].ToString("R", CultureInfo.InvariantCulture)).Append('\n');
            }
        }

        return text.ToString();
    }
}
