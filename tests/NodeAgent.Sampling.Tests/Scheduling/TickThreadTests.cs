using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class TickThreadTests
{
    [Fact]
    public void Start_OnTheRealClock_TicksUntilStopped()
    {
        using CountdownEvent ticks = new(3);
        RecordingSink sink = new(() =>
        {
            if (!ticks.IsSet)
            {
                ticks.Signal();
            }
        });
        TimeProvider time = OperatingSystem.IsLinux() ? new BootTimeProvider() : TimeProvider.System;
        TickLoop loop = new([new SamplerRunner(new ScriptedSampler(), TimeSpan.FromMilliseconds(100), time)], sink, time);
        using TickThread thread = new(loop);
        thread.Start();

        Assert.True(ticks.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(thread.Stop(TimeSpan.FromSeconds(30)));
        int count = sink.Ticks.Count;
        Assert.Equal(count, loop.Statistics.Ticks);
    }

    [Fact]
    public void Stop_DuringALongWait_DoesNotWaitForTheBeat()
    {
        TickLoop loop = Loop(TimeSpan.FromSeconds(60));
        using TickThread thread = new(loop);
        thread.Start();

        Assert.True(thread.Stop(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Stop_BeforeStart_IsNoError()
    {
        TickLoop loop = Loop(TimeSpan.FromSeconds(1));
        using TickThread thread = new(loop);

        Assert.True(thread.Stop(TimeSpan.Zero));
    }

    [Fact]
    public void Turns_BeatsFarApart_ComeAsOftenAsAskedFor()
    {
        using CountdownEvent turns = new(4);
        using TickThread thread = new(Loop(TimeSpan.FromSeconds(60)), () => SignalOnce(turns), TimeSpan.FromMilliseconds(20));
        thread.Start();

        Assert.True(turns.Wait(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Turns_WhileASamplerHangs_DoNotCome()
    {
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim driver = new();
        using CountdownEvent after = new(2);
        int turns = 0;
        ScriptedSampler hangs = new("hangs", _ =>
        {
            entered.Set();
            driver.Wait(CancellationToken.None);
            return SampleStatus.Ok;
        });
        TickLoop loop = new([new SamplerRunner(hangs, TimeSpan.FromMilliseconds(100), TimeProvider.System)], new RecordingSink(), TimeProvider.System);
        using TickThread thread = new(loop, () =>
        {
            turns++;
            if (driver.IsSet)
            {
                SignalOnce(after);
            }
        }, TimeSpan.FromMilliseconds(1));
        thread.Start();
        Assert.True(entered.Wait(TimeSpan.FromSeconds(30)));
        int before = Volatile.Read(ref turns);

        // A hundred times as long as turns are apart: if anything beat beside the loop, it would show.
        Assert.False(after.Wait(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(before, Volatile.Read(ref turns));
        driver.Set();
        Assert.True(after.Wait(TimeSpan.FromSeconds(30)));
    }

    private static void SignalOnce(CountdownEvent left)
    {
        if (!left.IsSet)
        {
            left.Signal();
        }
    }

    private static TickLoop Loop(TimeSpan interval) =>
        new([new SamplerRunner(new ScriptedSampler(), interval, TimeProvider.System)], new RecordingSink(), TimeProvider.System);
}
