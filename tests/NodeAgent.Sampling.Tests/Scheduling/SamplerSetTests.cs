using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class SamplerSetTests
{
    private readonly ManualTime _time = new(wallUnixMs: 1_767_225_600_000);

    public static TheoryData<string> Hosts() => [.. HostFixtures.Names];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Beat_OfAWholeAgent_AllocatesNothingAfterWarmUp(string host)
    {
        using SamplerSet set = Set(host);
        CountingSink sink = new();
        TickLoop loop = set.MakeLoop(sink, TimeSpan.FromMilliseconds(250));
        RunFor(loop, TimeSpan.FromSeconds(130)); // twice through the slowest interval

        Assert.Equal(0, Allocations.Of(() => RunFor(loop, TimeSpan.FromSeconds(100))));
        Assert.InRange(sink.Ticks, 229, 630);
        Assert.Equal(0, set.Statistics.SkippedBeats);
        Assert.All(
            set.Runners.SkipLast(2), // the agent's own metrics are no captured host's
            runner => Assert.Equal((runner.Name, GoldenStatus(host, runner.Name)), (runner.Name, $"{runner.Status}")));
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Beat_AfterTheFirstTick_MakesNothingForTheFirstTimeAnyMore(string host)
    {
        // The slowest sampler runs once a minute, on the wall clock's grid: what it makes at its first call must not fall anywhere into a
        // steady minute, but be over with the first tick.
        using SamplerSet set = Set(host);
        TickLoop loop = set.MakeLoop(new CountingSink(), TimeSpan.FromMilliseconds(250));
        RunFor(loop, TimeSpan.FromSeconds(1.1));
        Assert.All(set.Runners, runner => Assert.Equal((runner.Name, true), (runner.Name, runner.Calls > 0)));

        // Those with a thread of their own may be late on a busy machine, which is what they are for.
        string[] own = [.. SamplerCatalog.Linux.Where(entry => entry.Deadline is not null).Select(entry => entry.Name)];
        SamplerRunner[] runners = [.. set.Runners.Where(runner => !own.Contains(runner.Name))];
        (string, int)[] columns = [.. runners.Select(runner => (runner.Name, runner.Series.Version))];
        RunFor(loop, TimeSpan.FromSeconds(100));
        Assert.Equal(columns, runners.Select(runner => (runner.Name, runner.Series.Version)));
    }

    [Fact]
    public void Constructor_ByIntervals_RunsOnlyWhatIsWantedAndSelfLast()
    {
        using SamplerSet set = new(
            SamplerCatalog.Linux,
            new SamplerContext { Roots = HostFixtures.Roots("build-vm"), Timex = FixedTimex.Synchronised },
            _time,
            entry => entry.Name is "cpu" or "loadavg" ? TimeSpan.FromMilliseconds(200) : null);

        Assert.Equal(["cpu", "loadavg", "self_process", "self"], set.Runners.Select(runner => runner.Name));
        Assert.Equal(TimeSpan.FromMilliseconds(200), set.Runners[0].Interval);
    }

    [Fact]
    public void Catalogue_Always_HasUniqueNamesValidIntervalsAndTheNamesOfItsSamplers()
    {
        Assert.Equal(SamplerCatalog.Linux.Count, SamplerCatalog.Linux.Select(entry => entry.Name).Distinct().Count());
        foreach (SamplerEntry entry in SamplerCatalog.Linux)
        {
            TickSchedule.CheckInterval(entry.DefaultInterval);
            ISampler sampler = entry.Create(new SamplerContext { Roots = HostFixtures.Roots("build-vm") });
            Assert.Equal(entry.Name, sampler.Name);
            (sampler as IDisposable)?.Dispose();
        }
    }

    [Fact]
    public void Create_OnAHostWithNothing_GivesNoDataFromEverySampler()
    {
        SamplerContext nothing = new()
        {
            Roots = new Sampling.Linux.HostRoots("/nowhere/proc", "/nowhere/sys", "/nowhere/etc"),
            Timex = FixedTimex.Synchronised,
        };
        foreach (SamplerEntry entry in SamplerCatalog.Linux.Where(entry => entry.Name is not ("time" or "timex")))
        {
            ISampler sampler = entry.Create(nothing);
            Assert.Equal((entry.Name, SampleStatus.NoData), (entry.Name, sampler.Sample(new SampleTime(1, 1))));
            (sampler as IDisposable)?.Dispose();
        }
    }

    // A host may refuse a sampler, and its golden file then says so.
    private static string GoldenStatus(string host, string sampler) =>
        File.ReadLines(Path.Combine(HostFixtures.Directory, host, "golden", sampler + ".txt")).First()["# ".Length..];

    private SamplerSet Set(string host) =>
        new(SamplerCatalog.Linux, new SamplerContext { Roots = HostFixtures.Roots(host), Timex = FixedTimex.Synchronised }, _time);

    private void RunFor(TickLoop loop, TimeSpan time)
    {
        DateTimeOffset end = _time.GetUtcNow() + time;
        TimeSpan wait = loop.Beat();
        while (_time.GetUtcNow() + wait <= end)
        {
            _time.Advance(wait);
            wait = loop.Beat();
        }
    }

    private sealed class CountingSink : ITickSink
    {
        public int Ticks { get; private set; }

        public void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables) => Ticks++;
    }
}
