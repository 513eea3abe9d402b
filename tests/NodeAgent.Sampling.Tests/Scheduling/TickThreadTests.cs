using System.Collections.Concurrent;
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

    [Fact]
    public void AfterTurn_ThatTakesForEver_CostsNoTick()
    {
        using ManualResetEventSlim disk = new();
        using CountdownEvent ticks = new(10);
        TimeProvider time = TimeProvider.System;
        TickLoop loop = new([new SamplerRunner(new ScriptedSampler(), TimeSpan.FromMilliseconds(100), time)], new RecordingSink(() => SignalOnce(ticks)), time);
        int stuck = 0;
        ConcurrentBag<bool> whileStuck = [];
        using TickThread thread = new(loop, afterTurn: isBacked =>
        {
            if (isBacked && Interlocked.Exchange(ref stuck, 1) == 0)
            {
                disk.Wait(CancellationToken.None);
            }
            else if (!disk.IsSet && Volatile.Read(ref stuck) == 1)
            {
                whileStuck.Add(isBacked);
            }
        });
        thread.Start();

        Assert.True(ticks.Wait(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, loop.Statistics.SkippedBeats);
        Assert.NotEmpty(whileStuck);
        Assert.DoesNotContain(true, whileStuck); // nobody is left for the next beat: what could block is not to be done
        disk.Set();
        Assert.True(thread.Stop(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void AfterTurn_ThatEnded_IsBackedAgain()
    {
        using ManualResetEventSlim disk = new();
        using CountdownEvent alone = new(2);
        using CountdownEvent again = new(4);
        int stuck = 0;
        using TickThread thread = new(Loop(TimeSpan.FromMilliseconds(100)), afterTurn: isBacked =>
        {
            if (isBacked && Interlocked.Exchange(ref stuck, 1) == 0)
            {
                disk.Wait(CancellationToken.None);
            }
            else if (!isBacked)
            {
                SignalOnce(alone);
            }
            else if (disk.IsSet)
            {
                SignalOnce(again);
            }
        });
        thread.Start();

        Assert.True(alone.Wait(TimeSpan.FromSeconds(30)));
        disk.Set();
        Assert.True(again.Wait(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Turns_WithTwoThreads_AreTakenByBothAndOneAtATime()
    {
        using CountdownEvent turns = new(12);
        ConcurrentDictionary<int, int> byThread = [];
        int inside = 0;
        int most = 0;
        ScriptedSampler sampler = new("alone", _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            Thread.Yield();
            Interlocked.Decrement(ref inside);
            return SampleStatus.Ok;
        });
        TickLoop loop = new([new SamplerRunner(sampler, TimeSpan.FromMilliseconds(100), TimeProvider.System)], new RecordingSink(), TimeProvider.System);
        using TickThread thread = new(loop, afterTurn: _ =>
        {
            byThread.AddOrUpdate(Environment.CurrentManagedThreadId, 1, static (_, count) => count + 1);
            SignalOnce(turns);
        });
        thread.Start();

        Assert.True(turns.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(thread.Stop(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, most);
        Assert.Equal(2, byThread.Count);
        Assert.All(byThread.Values, count => Assert.True(count >= 3, $"{count} of 12"));
        Assert.Equal(0, loop.Statistics.SkippedBeats);
    }

    [Fact]
    public void Turns_ClockSetForward_TheNextBeatIsNotSleptThrough()
    {
        SettableWall time = new();
        using CountdownEvent before = new(3);
        using CountdownEvent after = new(2);
        TickLoop loop = new([new SamplerRunner(new ScriptedSampler(), TimeSpan.FromSeconds(1), time)], new RecordingSink(() =>
        {
            SignalOnce(before);
            if (time.IsSet)
            {
                SignalOnce(after);
            }
        }), time);
        using TickThread thread = new(loop, afterTurn: _ =>
        {
            if (before.IsSet)
            {
                time.SetForward(TimeSpan.FromMilliseconds(600)); // one thread already sleeps until a beat that will be 600 ms sooner
            }
        });
        thread.Start();

        Assert.True(before.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(after.Wait(TimeSpan.FromSeconds(30)));
        Assert.InRange(loop.Statistics.MaxLateness.TotalMilliseconds, 0, 900);
    }

    [Fact]
    public void AllocatedBytes_AreThoseOfTheTicksWhicheverThreadRanThem()
    {
        using CountdownEvent turns = new(6);
        ScriptedSampler sampler = new("dear", _ =>
        {
            GC.KeepAlive(new byte[1000]);
            return SampleStatus.Ok;
        });
        TickLoop loop = new([new SamplerRunner(sampler, TimeSpan.FromMilliseconds(100), TimeProvider.System)], new RecordingSink(), TimeProvider.System);
        using TickThread thread = new(loop, afterTurn: _ =>
        {
            GC.KeepAlive(new byte[100_000]); // no tick's
            SignalOnce(turns);
        });
        thread.Start();

        Assert.True(turns.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(thread.Stop(TimeSpan.FromSeconds(30)));
        Assert.InRange(loop.Statistics.AllocatedBytes, 1_000 * (loop.Statistics.Ticks - 1), 10_000 + (2_000 * loop.Statistics.Ticks));
    }

    /// <summary>The real clocks, of which the wall can be set once.</summary>
    private sealed class SettableWall : TimeProvider
    {
        private long _aheadTicks;

        internal bool IsSet => Volatile.Read(ref _aheadTicks) != 0;

        internal void SetForward(TimeSpan by) => Volatile.Write(ref _aheadTicks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + new TimeSpan(Volatile.Read(ref _aheadTicks));

        public override long GetTimestamp() => System.GetTimestamp();

        public override long TimestampFrequency => System.TimestampFrequency;
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
