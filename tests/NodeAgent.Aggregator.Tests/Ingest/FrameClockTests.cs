using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class FrameClockTests
{
    private const long Now = 1_800_000_000_000;
    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;
    private const ulong Uptime = 1_000_000_000_000; // ns at the hello

    private static readonly IngestOptions Options = new() { Directory = "/s", RetentionMs = 6 * Hour };

    [Theory]
    [InlineData(3 * Hour, ClockQuality.Stepped)]
    [InlineData(-3 * Hour, ClockQuality.Unsynchronised)]
    [InlineData(400 * Day, ClockQuality.Synchronised)]
    [InlineData(-400 * Day, ClockQuality.Synchronised)]
    [InlineData(3 * Hour, ClockQuality.Synchronised)]
    [InlineData(-3 * Hour, ClockQuality.Synchronised)]
    public void Resolve_ClockThatJumpedAfterItWasRight_IsRebased(long jumpMs, ClockQuality claim)
    {
        FrameClock clock = Clock(Now + 40);
        Assert.Equal(Own(Now + 1_000), clock.Resolve(Frame(Now + 1_000, 1_000), At(1_000)));
        Assert.Equal(new FrameTime(Now + 2_000, TimeVerdict.Rebased), clock.Resolve(Frame(Now + 2_000 + jumpMs, 2_000, claim), At(2_000)));
        Assert.Equal(new FrameTime(Now + 3_000, TimeVerdict.Rebased), clock.Resolve(Frame(Now + 3_000 + jumpMs, 3_000, claim), At(3_000)));
        Assert.Equal(Own(Now + 4_000), clock.Resolve(Frame(Now + 4_000, 4_000), At(4_000)));
    }

    [Theory]
    [InlineData(ClockQuality.Unsynchronised)]
    [InlineData(ClockQuality.Unspecified)]
    public void Resolve_BootIn1970_IsRebasedFromTheFirstFrameOn(ClockQuality claim)
    {
        // The backlog of this boot too: frames from before the hello.
        FrameClock clock = Clock(5_000);
        Assert.Equal(new FrameTime(Now - 4_000, TimeVerdict.Rebased), clock.Resolve(Frame(1_000, -4_000, claim), At(0)));
        Assert.Equal(new FrameTime(Now, TimeVerdict.Rebased), clock.Resolve(Frame(5_000, 0, claim), At(0)));
    }

    [Fact]
    public void Resolve_DisciplinedClockThatWasNeverNearOurs_IsBelieved()
    {
        // It may be the aggregator's clock that is wrong.
        FrameClock clock = Clock(Now - 2 * Hour);
        Assert.Equal(Own(Now - 2 * Hour + 1_000), clock.Resolve(Frame(Now - 2 * Hour + 1_000, 1_000), At(1_000)));
        Assert.Equal(new FrameTime(Now + 2_000, TimeVerdict.Rebased), clock.Resolve(Frame(Now - 2 * Hour + 2_000, 2_000, ClockQuality.Unsynchronised), At(2_000)));
    }

    [Theory]
    [InlineData(ClockQuality.Stepped)]
    [InlineData(ClockQuality.Synchronised)]
    public void Resolve_FrozenClock_GoesOnByMonotonicTime(ClockQuality claim)
    {
        FrameClock clock = Clock(Now);
        for (int second = 1; second < 1_000; second++)
        {
            FrameTime time = clock.Resolve(Frame(Now + 1_000, second * 1_000, second == 1 ? ClockQuality.Synchronised : claim), At(second * 1_000));
            Assert.Equal((Now + (second * 1_000), second == 1 ? TimeVerdict.Own : TimeVerdict.Rebased), (time.UnixMs, time.Verdict));
        }
    }

    [Fact]
    public void Resolve_ClockSetBackALittle_KeepsTheOrderUntilTheTwoMeet()
    {
        FrameClock clock = Clock(Now);
        long before = 0;
        int rebased = 0;
        for (int second = 1; second < 60; second++)
        {
            long step = second < 10 ? 0 : -5_000;
            FrameTime time = clock.Resolve(Frame(Now + (second * 1_000) + step, second * 1_000), At(second * 1_000));
            Assert.True(time.UnixMs > before, $"second {second}: {time.UnixMs - before} ms after the one before");
            before = time.UnixMs;
            rebased += time.Verdict == TimeVerdict.Rebased ? 1 : 0;
        }

        Assert.Equal(Now + 59_000 - 5_000, before);
        Assert.InRange(rebased, 8, 14);
    }

    [Fact]
    public void Resolve_TenfoldClock_LosesNothingAndStaysNear()
    {
        FrameClock clock = Clock(Now);
        HashSet<long> times = [];
        for (int second = 1; second <= 600; second++)
        {
            FrameTime time = clock.Resolve(Frame(Now + (second * 10_000), second * 1_000), At(second * 1_000));
            Assert.False(time.IsRefused);
            Assert.True(times.Add(time.UnixMs));
            Assert.InRange(time.UnixMs - Now - (second * 1_000), -1_000, FrameClock.ToleranceMs + 20_000);
        }
    }

    [Fact]
    public void Resolve_AgentThatSaysNoMonotonicTimeInItsHello_IsRebasedByTheFrameBefore()
    {
        FrameClock clock = new(new Hello { WallUnixMs = Now, BootId = "b" }, At(0), hasAgreed: false, Options);
        Assert.Equal(Own(Now + 1_000), clock.Resolve(Frame(Now + 1_000, 1_000), At(1_000)));
        Assert.Equal(new FrameTime(Now + 2_000, TimeVerdict.Rebased), clock.Resolve(Frame(Now + 2_000 + 400 * Day, 2_000), At(2_000)));
        Assert.Equal(new FrameTime(Now + 3_000, TimeVerdict.Rebased), clock.Resolve(Frame(Now + 3_000 - 3 * Hour, 3_000), At(3_000)));
    }

    [Theory]
    [InlineData(10 * 60_000, (int)TimeVerdict.Own)]
    [InlineData((10 * 60_000) + 1, (int)TimeVerdict.TooNew)]
    [InlineData(-6 * Hour, (int)TimeVerdict.Own)]
    [InlineData((-6 * Hour) - 1, (int)TimeVerdict.TooOld)]
    [InlineData(long.MaxValue - Now, (int)TimeVerdict.TooNew)]
    [InlineData(-Now, (int)TimeVerdict.Impossible)]
    [InlineData(long.MinValue, (int)TimeVerdict.Impossible)]
    public void Resolve_EarlierBoot_IsJudgedByItsOwnTime(long offsetMs, int expected)
    {
        FrameClock clock = Clock(Now);
        FrameStamp stamp = Frame(unchecked(Now + offsetMs), 5_000) with { Boot = 1 };
        Assert.Equal((TimeVerdict)expected, clock.Resolve(stamp, At(0)).Verdict);
    }

    [Theory]
    [InlineData(400 * Day, ClockQuality.Synchronised)]
    [InlineData(-20_000 * Day, ClockQuality.Synchronised)]
    [InlineData(3 * Hour, ClockQuality.Unsynchronised)]
    public void Resolve_EarlierBootThatSaidHelloOnce_IsRebased(long offMs, ClockQuality claim)
    {
        // The agent said hello in boot 1, at 100 s of its monotonic clock, half an hour ago; then it rebooted with frames that it had not sent.
        HeldRecords held = new(epoch: 7);
        held.NoteBoot(1, 100_000_000_000, Now - (Hour / 2));
        FrameClock clock = new(new Hello { WallUnixMs = Now, MonotonicNs = Uptime, Boot = 2, BootId = "b" }, At(0), hasAgreed: false, Options, held);
        long at = Now - (Hour / 2) + 20_000;
        Assert.Equal(new FrameTime(at, TimeVerdict.Rebased), clock.Resolve(new FrameStamp(at + offMs, 120_000_000_000, claim, 1), At(0)));
        Assert.Equal(Own(at + 1_000), clock.Resolve(new FrameStamp(at + 1_000, 121_000_000_000, ClockQuality.Synchronised, 1), At(0)));
    }

    private static FrameClock Clock(long helloWallMs) =>
        new(new Hello { WallUnixMs = helloWallMs, MonotonicNs = Uptime, Boot = 2, BootId = "b" }, At(0), hasAgreed: false, Options);

    private static FrameTime Own(long unixMs) => new(unixMs, TimeVerdict.Own);

    private static FrameStamp Frame(long wallMs, long sinceHelloMs, ClockQuality claim = ClockQuality.Synchronised) =>
        new(wallMs, (ulong)((long)Uptime + (sinceHelloMs * 1_000_000)), claim, 2);

    private static Moment At(long sinceHelloMs) => new(Now + sinceHelloMs, sinceHelloMs);
}
