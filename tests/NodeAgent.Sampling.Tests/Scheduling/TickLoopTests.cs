using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class TickLoopTests
{
    private readonly ManualTime _time = new(wallUnixMs: 1_767_225_600_400);
    private readonly RecordingSink _sink = new();

    [Fact]
    public void Beat_First_OnlyWaitsForTheGrid()
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("a", 1000));

        Assert.Equal(TimeSpan.FromMilliseconds(600), loop.Beat(), Milliseconds(0.01));
        Assert.Empty(_sink.Ticks);
    }

    [Fact]
    public void Beat_Early_DoesNothingButReturnTheRest()
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("a", 1000));
        loop.Beat();
        _time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.Equal(TimeSpan.FromMilliseconds(100), loop.Beat(), Milliseconds(0.01));
        Assert.Empty(_sink.Ticks);
    }

    [Fact]
    public void Beat_OnTime_TicksOnceASecondOnTheGridPlusPhase()
    {
        TickLoop loop = Loop(TimeSpan.FromMilliseconds(123), Runner("a", 1000));
        RunFor(loop, TimeSpan.FromSeconds(10));

        Assert.Equal(10, _sink.Ticks.Count);
        Assert.All(_sink.Ticks, tick => Assert.Equal(123, tick.Now.WallUnixMs % 1000));
        Assert.Equal(0, loop.Statistics.SkippedBeats);
        Assert.InRange(loop.Statistics.MaxLateness, TimeSpan.Zero, TimeSpan.FromMilliseconds(0.01));
    }

    [Fact]
    public void Beat_SeveralIntervals_MakesOneTickOfAllThatAreDue()
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("fast", 500), Runner("slow", 2000), Runner("odd", 700));
        RunFor(loop, TimeSpan.FromSeconds(7));

        Assert.Equal(["fast", "slow", "odd"], _sink.Ticks[0].Samplers); // the first is of all
        Assert.Equal(14, Count("fast"));
        Assert.InRange(Count("slow"), 4, 5);
        Assert.Equal(11, Count("odd"));
        Assert.All(_sink.Ticks.Skip(1), tick => Assert.All(tick.Samplers, name => Assert.Equal(0, tick.Now.WallUnixMs % IntervalOf(name))));
        Assert.Contains(_sink.Ticks, tick => tick.Samplers is ["fast", "slow"]);
    }

    [Fact]
    public void Beat_AfterALongTick_SkipsTheMissedBeatsAndCountsThem()
    {
        ScriptedSampler slow = new("a", call =>
        {
            _time.Advance(call == 2 ? TimeSpan.FromSeconds(3.5) : TimeSpan.FromMilliseconds(1));
            return SampleStatus.Ok;
        });
        TickLoop loop = Loop(TimeSpan.Zero, new SamplerRunner(slow, TimeSpan.FromSeconds(1), _time));
        RunFor(loop, TimeSpan.FromSeconds(10));

        long[] beats = [.. slow.Calls.Select(call => (call.WallUnixMs - slow.Calls[0].WallUnixMs + 500) / 1000)];
        Assert.Equal([0, 1, 5, 6, 7, 8, 9], beats);
        Assert.Equal(3, loop.Statistics.SkippedBeats);
    }

    [Fact]
    public void Beat_AfterTheProcessStoodStillForTenMinutes_TicksOnceAndCountsTheRest()
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("a", 1000));
        RunFor(loop, TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromMinutes(10));
        RunFor(loop, TimeSpan.FromSeconds(2));

        Assert.InRange(_sink.Ticks.Count, 4, 6);
        Assert.InRange(loop.Statistics.SkippedBeats, 598, 600);
        Assert.InRange(loop.Statistics.MaxLateness, TimeSpan.FromSeconds(599), TimeSpan.FromSeconds(600));
    }

    [Theory]
    [InlineData(-3 * 3600)]
    [InlineData(3 * 3600)]
    [InlineData(400 * 86400)]
    [InlineData(-0.3)]
    public void Beat_WhenTheWallClockIsSet_NeitherStopsNorBurstsNorCountsSkips(double seconds)
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("a", 1000));
        RunFor(loop, TimeSpan.FromSeconds(5));
        _time.StepWall(TimeSpan.FromSeconds(seconds));
        RunFor(loop, TimeSpan.FromSeconds(5));

        long[] gapsNs = [.. _sink.Ticks.Zip(_sink.Ticks.Skip(1), (left, right) => right.Now.MonotonicNs - left.Now.MonotonicNs)];
        Assert.All(gapsNs, gap => Assert.InRange(gap, 100_000_000, 2_000_000_000));
        Assert.InRange(_sink.Ticks.Count, 9, 11);
        Assert.Equal(0, loop.Statistics.SkippedBeats);
    }

    [Fact]
    public void Beat_WhenAWaitEndsAHairEarly_TicksOnceForThatBeat()
    {
        TickLoop loop = Loop(TimeSpan.Zero, Runner("a", 1000));
        for (int i = 0; i < 5; i++)
        {
            _time.Advance(loop.Beat() - TimeSpan.FromMilliseconds(0.3));
        }

        Assert.Equal(4, _sink.Ticks.Count);
        long[] gaps = [.. _sink.Ticks.Zip(_sink.Ticks.Skip(1), (left, right) => right.Now.WallUnixMs - left.Now.WallUnixMs)];
        Assert.All(gaps, gap => Assert.InRange(gap, 999, 1001));
    }

    [Fact]
    public void Beat_WhenOneSamplerThrows_RunsTheOthersAndSaysFailed()
    {
        SamplerRunner broken = new(new ScriptedSampler("broken", _ => throw new IOException("gone")), TimeSpan.FromSeconds(1), _time);
        TickLoop loop = Loop(TimeSpan.Zero, broken, Runner("good", 1000));
        RunFor(loop, TimeSpan.FromSeconds(1));

        Assert.Equal(["broken", "good"], _sink.Ticks[0].Samplers);
        Assert.Equal([SampleStatus.Failed, SampleStatus.Ok], _sink.Ticks[0].Statuses);
    }

    [Fact]
    public void Beat_WhenTheSinkThrows_GoesOnAndCounts()
    {
        TickLoop loop = new([Runner("a", 1000)], new RecordingSink(() => throw new InvalidOperationException("bug")), _time);
        RunFor(loop, TimeSpan.FromSeconds(3));

        Assert.Equal(3, loop.Statistics.Ticks);
        Assert.Equal(3, loop.Statistics.SinkFailures);
        Assert.Equal("bug", loop.LastSinkError?.Message);
    }

    [Fact]
    public void Constructor_TwoRunnersOfOneName_Throws() =>
        Assert.Throws<ArgumentException>(() => Loop(TimeSpan.Zero, Runner("a", 1000), Runner("a", 2000)));

    [Fact]
    public void Beat_OfRealSamplers_AllocatesNothing()
    {
        TickLoop loop = new(
            [new SamplerRunner(new Sampling.Cpu.LoadSampler(new Sampling.Linux.HostRoots()), TimeSpan.FromSeconds(1), _time)],
            new CountingSink(),
            _time);
        RunFor(loop, TimeSpan.FromSeconds(5));

        Assert.Equal(0, Allocations.Of(() => RunFor(loop, TimeSpan.FromSeconds(100))));
        Assert.InRange(loop.Statistics.Ticks, 105, 505);
    }

    private static TimeSpanTolerance Milliseconds(double milliseconds) => new(TimeSpan.FromMilliseconds(milliseconds));

    private static long IntervalOf(string name) => name switch { "fast" => 500, "slow" => 2000, "odd" => 700, _ => 1000 };

    private int Count(string sampler) => _sink.Ticks.Count(tick => tick.Samplers.Contains(sampler));

    private SamplerRunner Runner(string name, int intervalMs) =>
        new(new ScriptedSampler(name), TimeSpan.FromMilliseconds(intervalMs), _time);

    private TickLoop Loop(TimeSpan phase, params SamplerRunner[] runners) => new(runners, _sink, _time, phase);

    // As the thread does: beat, wait exactly as long as told.
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
        public void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables)
        {
        }
    }

    private sealed class TimeSpanTolerance(TimeSpan tolerance) : IEqualityComparer<TimeSpan>
    {
        public bool Equals(TimeSpan x, TimeSpan y) => (x - y).Duration() <= tolerance;

        public int GetHashCode(TimeSpan obj) => 0;
    }
}
