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

    private static TickLoop Loop(TimeSpan interval) =>
        new([new SamplerRunner(new ScriptedSampler(), interval, TimeProvider.System)], new RecordingSink(), TimeProvider.System);
}
