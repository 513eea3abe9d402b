using NodeAgent.Hosting.Lifetime;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Lifetime;

public sealed class WatchdogBeatTests
{
    private readonly SimulatedTime _time = new();

    [Fact]
    public void Turn_OfALoopThatGoesRound_BeatsAtHalfOfTheLimit()
    {
        string address = $"@nodeagent-beat-{Environment.ProcessId}";
        using ServiceManager manager = new(address);
        using ServiceNotifier notifier = new(address, "30000000");
        WatchdogBeat beat = new(notifier, _time);
        Assert.Equal(TimeSpan.FromSeconds(7.5), beat.LongestWait);

        beat.Turn();
        Assert.Equal("WATCHDOG=1", manager.Receive());
        for (int second = 0; second < 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            beat.Turn();
        }

        Assert.Equal(4, manager.Waiting());
    }

    [Fact]
    public void Turn_OfALoopThatIsAsSlowAsItMayBe_NeverComesLaterThanThreeQuartersOfTheLimit()
    {
        string address = $"@nodeagent-slow-{Environment.ProcessId}";
        using ServiceManager manager = new(address);
        using ServiceNotifier notifier = new(address, "30000000");
        WatchdogBeat beat = new(notifier, _time);
        TimeSpan last = _time.Elapsed;
        beat.Turn();
        manager.Receive();
        for (int turn = 0; turn < 50; turn++)
        {
            _time.Advance(beat.LongestWait!.Value - TimeSpan.FromMilliseconds(1));
            beat.Turn();
            if (manager.Waiting() > 0)
            {
                Assert.InRange((_time.Elapsed - last).TotalSeconds, 15, 22.5);
                last = _time.Elapsed;
            }
        }

        Assert.True(_time.Elapsed - last < TimeSpan.FromSeconds(22.5), "the beat has ended");
    }

    [Fact]
    public void Turn_WithoutAWatchdog_SaysNothing()
    {
        string address = $"@nodeagent-unwatched-{Environment.ProcessId}";
        using ServiceManager manager = new(address);
        using ServiceNotifier notifier = new(address);
        WatchdogBeat beat = new(notifier, _time);
        Assert.Null(beat.LongestWait);
        beat.Turn();
        Assert.Equal(0, manager.Waiting());
    }
}
