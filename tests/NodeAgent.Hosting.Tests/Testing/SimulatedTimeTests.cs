using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Testing;

public sealed class SimulatedTimeTests
{
    private readonly SimulatedTime _time = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Advance_TimersOfSeveralOwners_FireInOrderOfDueTimeEachAtItsOwnTime()
    {
        using ITimer late = Timer("late", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using ITimer beat = Timer("beat", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        using ITimer same = Timer("same", TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(3.5));

        // At 2 s "same" was armed before the beat's second round, at 3 s "late" before its third.
        Assert.Equal(["beat@1", "same@2", "beat@2", "late@3", "beat@3"], _fired);
        Assert.Equal(TimeSpan.FromSeconds(3.5), _time.Elapsed);
        Assert.Equal(TimeSpan.FromSeconds(0.5), _time.UntilNextTimer);
    }

    [Fact]
    public void Advance_ATimerArmedByACallback_FiresInTheSameAdvance()
    {
        ITimer? second = null;
        using ITimer first = _time.CreateTimer(_ => second = Timer("second", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan), null,
            TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["second@2"], _fired);
        second!.Dispose();
    }

    [Fact]
    public void Dispose_BeforeItsTime_ATimerNeverFires()
    {
        ITimer timer = Timer("never", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        timer.Dispose();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(_fired);
        Assert.Equal(0, _time.ArmedTimers);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public void Change_AZeroDueTime_FiresOnTheNextAdvanceEvenOfNothing()
    {
        using ITimer timer = Timer("now", Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Assert.Null(_time.UntilNextTimer);
        Assert.True(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
        Assert.Empty(_fired);
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(["now@0"], _fired);
    }

    [Fact]
    public void GetElapsedTime_AtTheOddFrequency_IsRightToTheMicrosecond()
    {
        long start = _time.GetTimestamp();
        Assert.NotEqual(0, start);
        _time.Advance(TimeSpan.FromHours(123.456));
        Assert.Equal(TimeSpan.FromHours(123.456).TotalMicroseconds, _time.GetElapsedTime(start).TotalMicroseconds, tolerance: 1.1);
        Assert.NotEqual(TimeSpan.TicksPerSecond, _time.TimestampFrequency);
    }

    [Fact]
    public void StepWallClock_BackAnHour_DoesNotMoveTimersOrTimestamps()
    {
        using ITimer timer = Timer("due", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        long before = _time.GetTimestamp();
        _time.StepWallClock(TimeSpan.FromHours(-1));
        Assert.Equal(before, _time.GetTimestamp());
        Assert.Equal(SimulatedTime.DefaultStart - TimeSpan.FromHours(1), _time.GetUtcNow());
        Assert.True(_time.AdvanceToNextTimer());
        Assert.Equal(["due@1"], _fired);
        Assert.False(_time.AdvanceToNextTimer());
    }

    [Fact]
    public async Task TaskDelay_OnSimulatedTime_EndsWhenTimeGetsThere()
    {
        Task delay = Task.Delay(TimeSpan.FromMinutes(5), _time);
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(delay.IsCompleted);
        _time.Advance(TimeSpan.FromMinutes(1));
        await delay.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private ITimer Timer(string name, TimeSpan due, TimeSpan period) =>
        _time.CreateTimer(_ => _fired.Add($"{name}@{_time.Elapsed.TotalSeconds}"), null, due, period);
}
