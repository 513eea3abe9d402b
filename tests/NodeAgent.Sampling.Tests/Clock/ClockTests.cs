using System.Runtime.CompilerServices;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Clock;

public sealed class ClockTests
{
    private static readonly SampleTime Now = new(1_000, 1_000_000_000);

    private static readonly FixedTimex Unsynchronised = new(
        new TimexReading { Status = TimexReading.StatusUnsynchronised }, TimexReading.StateError);

    [Fact]
    public void TimexReading_Always_HasTheKernelsLayout()
    {
        TimexReading reading = default;
        ref byte start = ref Unsafe.As<TimexReading, byte>(ref reading);

        Assert.Equal(208, Unsafe.SizeOf<TimexReading>());
        Assert.Equal(40, (int)Unsafe.ByteOffset(ref start, ref Unsafe.As<int, byte>(ref reading.Status)));
        Assert.Equal(88, (int)Unsafe.ByteOffset(ref start, ref Unsafe.As<long, byte>(ref reading.TickMicroseconds)));
        Assert.Equal(160, (int)Unsafe.ByteOffset(ref start, ref Unsafe.As<int, byte>(ref reading.TaiSeconds)));
    }

    [Fact]
    public void TryRead_OfThisKernel_GivesATickOfTenMilliseconds()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "adjtimex is a Linux system call");
        Assert.True(new KernelTimex().TryRead(out TimexReading reading, out int state));

        Assert.InRange(reading.TickMicroseconds, 9_000, 11_000); // the range the kernel allows at 100 Hz
        Assert.InRange(state, 0, 5);
        Assert.InRange(reading.TimeSeconds, 1_700_000_000, long.MaxValue);
    }

    [Fact]
    public void Sample_WhereTheKernelRefuses_IsFailedWithoutValues()
    {
        TimexSampler sampler = new(new FixedTimex(default, state: -1));

        Assert.Equal(SampleStatus.Failed, sampler.Sample(new SampleTime(1, 1)));
        Assert.False(sampler.Series.IsPresent(0));
    }

    [Fact]
    public void Observe_OfADisciplinedClock_IsSynchronised() =>
        Assert.Equal(ClockQuality.Synchronised, new ClockQualityTracker(FixedTimex.Synchronised).Observe(Now));

    [Fact]
    public void Observe_OfAClockNobodyKeeps_IsUnsynchronised() =>
        Assert.Equal(ClockQuality.Unsynchronised, new ClockQualityTracker(Unsynchronised).Observe(Now));

    [Fact]
    public void Observe_WhereTheKernelRefuses_IsUnknown() =>
        Assert.Equal(ClockQuality.Unknown, new ClockQualityTracker(new FixedTimex(default, -1)).Observe(Now));

    [Theory]
    [InlineData(1_001, true)]
    [InlineData(-3 * 3_600_000, true)]
    [InlineData(400L * 86_400_000, true)]
    [InlineData(999, false)]
    [InlineData(-30, false)]
    public void Observe_WhenTheWallClockMovedAgainstTheMonotonic_SaysSteppedOnce(long stepMs, bool isStep)
    {
        ClockQualityTracker tracker = new(FixedTimex.Synchronised);
        tracker.Observe(new SampleTime(1_000_000_000, 5_000_000_000));
        ClockQuality after = tracker.Observe(new SampleTime(1_000_001_000 + stepMs, 6_000_000_000));

        Assert.Equal(isStep ? ClockQuality.Stepped : ClockQuality.Synchronised, after);
        Assert.Equal((isStep ? 1 : 0, isStep ? stepMs : 0), (tracker.Steps, tracker.LastStepMs));
        Assert.Equal(ClockQuality.Synchronised, tracker.Observe(new SampleTime(1_000_002_000 + stepMs, 7_000_000_000)));
    }

    [Fact]
    public void TryRead_OfACapturedHost_GivesItsBootId()
    {
        string expected = File.ReadAllText(Path.Combine(HostFixtures.Directory, "build-vm/proc/sys/kernel/random/boot_id")).Trim();

        Assert.Equal(expected, BootId.TryRead(HostFixtures.Roots("build-vm")));
        Assert.Null(BootId.TryRead(new HostRoots(Proc: "/nowhere")));
    }

    [Fact]
    public void GetTimestamp_OfBootTime_CountsNanosecondsSinceBoot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "CLOCK_BOOTTIME is Linux's");
        BootTimeProvider time = new();
        double uptimeSeconds = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0]);

        Assert.Equal(uptimeSeconds, time.GetTimestamp() / 1e9, tolerance: 5.0);
        Assert.Equal(1_000_000_000, time.TimestampFrequency);
    }
}
