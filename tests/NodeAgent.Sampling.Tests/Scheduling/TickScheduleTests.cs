using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class TickScheduleTests
{
    [Theory]
    [InlineData(10_000, 1000, 0, 11_000)]
    [InlineData(10_999, 1000, 0, 11_000)]
    [InlineData(10_000, 1000, 250, 10_250)]
    [InlineData(10_250, 1000, 250, 11_250)]
    [InlineData(10_000, 60_000, 0, 60_000)]
    [InlineData(-1, 1000, 0, 0)]
    [InlineData(-1_000, 1000, 999, -1)]
    public void NextBeat_AfterAMoment_IsTheNextOnTheGrid(long after, long interval, long phase, long expected) =>
        Assert.Equal(expected, TickSchedule.NextBeat(after, interval, phase));

    [Fact]
    public void NextBeat_OfAnyMoment_IsDueAndWithinAnInterval()
    {
        Random random = new(7);
        for (int i = 0; i < 10_000; i++)
        {
            long after = random.NextInt64(-1L << 45, 1L << 45);
            long interval = random.NextInt64(100, 60_001);
            long phase = random.NextInt64(0, 1000);
            long next = TickSchedule.NextBeat(after, interval, phase);

            Assert.InRange(next - after, 1, interval);
            Assert.True(TickSchedule.IsDue(next, interval, phase));
        }
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.6, 0)]
    [InlineData(1.7, 0)]
    [InlineData(1.99, 1)]
    [InlineData(2.0, 1)]
    [InlineData(600.0, 599)]
    public void MissedBeats_OfAGap_CountsWholeIntervals(double intervals, long expected) =>
        Assert.Equal(expected, TickSchedule.MissedBeats((long)(intervals * 1e9), intervalMs: 1000));

    [Theory]
    [InlineData(99)]
    [InlineData(60_001)]
    [InlineData(100.5)]
    [InlineData(-1000)]
    public void CheckInterval_OutsideItsBounds_Throws(double milliseconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TickSchedule.CheckInterval(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void PhaseOf_ManyAgents_IsConstantForEachAndSpreadOverTheSecond()
    {
        TimeSpan[] phases = [.. Enumerable.Range(0, 2000).Select(i => TickSchedule.PhaseOf($"machine-{i:x8}"))];

        Assert.Equal(phases[17], TickSchedule.PhaseOf("machine-00000011"));
        Assert.All(phases, phase => Assert.InRange(phase.TotalMilliseconds, 0, 999));
        int[] perTenth = new int[10];
        Array.ForEach(phases, phase => perTenth[(int)phase.TotalMilliseconds / 100]++);
        Assert.All(perTenth, count => Assert.InRange(count, 140, 260));
    }
}
