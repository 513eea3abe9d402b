using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Sampling.Windows;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Windows;

/// <summary>What holds for every sampler of Windows.</summary>
public sealed class WindowsCatalogTests
{
    private readonly ScriptedWin32 _win32 = new()
    {
        Times = (70_000_001, 80_000_003, 5_000_007),
        UptimeMs = 12_345,
        Memory = new MemoryStatus { TotalPhysical = 2, AvailablePhysical = 1 },
        Performance = new PerformanceInformation { PageBytes = 4096, CommitLimit = 3, CommitTotal = 2, Processes = 1, Threads = 2, Handles = 3 },
        Interfaces = [ScriptedWin32.Interface(1, "Ethernet")],
        Drives = { [2] = new ScriptedDrive("NTFS", 3, 2, 1) },
    };

    public static TheoryData<string> Names => [.. SamplerCatalog.Windows.Select(entry => entry.Name)];

    // GetTickCount64 returns no error.
    public static TheoryData<string> NamesOfWhatCanFail => [.. SamplerCatalog.Windows.Select(entry => entry.Name).Where(name => name != "time")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_Again_KeepsItsColumnsAndAllocatesNothing(string name)
    {
        ISampler sampler = Make(name);
        SamplerText.Run(sampler);
        int version = sampler.Series.Version;
        Assert.Equal(0, Allocations.Of(() => SamplerText.Run(sampler)));
        Assert.Equal(version, sampler.Series.Version);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Series_OfAHost_AreThoseOfTheCatalogue(string name)
    {
        Dictionary<string, MetricDefinition> catalogue = MetricCatalog.All.ToDictionary(metric => metric.Name, StringComparer.Ordinal);
        ISampler sampler = Make(name);
        Assert.Equal(SampleStatus.Ok, SamplerText.Run(sampler));

        Assert.Equal(name, sampler.Name);
        for (int i = 0; i < sampler.Series.Count; i++)
        {
            SeriesDefinition series = sampler.Series.Definitions[i];
            Assert.Equal(catalogue[series.Metric].Labels.Order(), series.Labels.Select(label => label.Name).Order());
            Assert.True(sampler.Series.IsPresent(i), series.ToString());
            double value = sampler.Series.Values[i];
            Assert.Equal(value, Math.Round(value * series.Scale) / series.Scale);
        }
    }

    [Theory]
    [MemberData(nameof(NamesOfWhatCanFail))]
    public void Sample_WhereTheCallsFail_IsFailedAndHasNoValue(string name)
    {
        ISampler sampler = Make(name);
        SamplerText.Run(sampler);
        _win32.Fails = true;

        Assert.Equal(SampleStatus.Failed, SamplerText.Run(sampler));
        Assert.Empty(SamplerText.Values(sampler));
    }

    [Fact]
    public void ClockQuality_WithoutTimex_IsUnknownAndStillSeesSteps()
    {
        ClockQualityTracker tracker = new(new NoTimex());

        Assert.Equal(ClockQuality.Unknown, tracker.Observe(new SampleTime(1_000_000, 0)));
        Assert.Equal(ClockQuality.Stepped, tracker.Observe(new SampleTime(1_006_000, 1_000_000_000)));
        Assert.Equal(5000, tracker.LastStepMs);
    }

    [Fact]
    public void Current_OnThisHost_IsItsPlatforms() =>
        Assert.Same(OperatingSystem.IsWindows() ? SamplerCatalog.Windows : SamplerCatalog.Linux, SamplerCatalog.Current);

    private ISampler Make(string name) =>
        SamplerCatalog.Windows.Single(entry => entry.Name == name).Create(new SamplerContext { Win32 = _win32 });
}
