using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Logs;

public sealed class RepeatedEventGateTests : IDisposable
{
    private const string Event = "UplinkConnectFailed";

    private readonly SimulatedTime _time = new();
    private readonly CapturingLogger _log = new();
    private readonly RepeatedEventGate _gate;

    public RepeatedEventGateTests() => _gate = new RepeatedEventGate(_log, _time);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void IsFirst_ARepeatedFailure_IsLoggedOnceThenSummedUpEachMinuteThenEnded()
    {
        Assert.True(_gate.IsFirst(Event, "a:1"));
        for (int second = 1; second <= 150; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(_gate.IsFirst(Event, "a:1"));
        }

        _gate.Recovered(Event, "a:1");

        Assert.Equal(
        [
            "Warning EventRepeats(1002) UplinkConnectFailed happened 60 more times for a:1 in 00:01:00",
            "Warning EventRepeats(1002) UplinkConnectFailed happened 60 more times for a:1 in 00:01:00",
            "Information EventRepeatsEnded(1003) UplinkConnectFailed for a:1 is over: recovered after 151 failures in 00:02:30",
        ], Told());
        Assert.Equal(0, _gate.Open);
    }

    [Fact]
    public void IsFirst_AfterRecovery_IsFirstAgain()
    {
        Assert.True(_gate.IsFirst(Event, "a:1"));
        _gate.Recovered(Event, "a:1");
        Assert.True(_gate.IsFirst(Event, "a:1"));
    }

    [Fact]
    public void IsFirst_AnotherSubjectOrEvent_IsItsOwnFailure()
    {
        Assert.True(_gate.IsFirst(Event, "a:1"));
        Assert.True(_gate.IsFirst(Event, "b:1"));
        Assert.True(_gate.IsFirst("Other", "a:1"));
        Assert.Equal(3, _gate.Open);
    }

    [Fact]
    public void IsFirst_RareRepeats_TellEachWithItsOwnInterval()
    {
        _gate.IsFirst(Event, "a");
        _time.Advance(TimeSpan.FromMinutes(5));
        _gate.IsFirst(Event, "a");
        Assert.Equal(["Warning EventRepeats(1002) UplinkConnectFailed happened 1 more times for a in 00:05:00"], Told());
    }

    [Fact]
    public void Recovered_WithoutFailure_SaysNothing()
    {
        _gate.Recovered(Event, "a");
        _gate.IsFirst(Event, "b");
        _gate.Recovered(Event, "a");
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void EndQuiet_AFailureNotSeenForAWhile_EndsIt()
    {
        _gate.IsFirst(Event, "old");
        _time.Advance(TimeSpan.FromSeconds(30));
        _gate.IsFirst(Event, "old");
        _time.Advance(TimeSpan.FromMinutes(9.5));
        _gate.IsFirst(Event, "new");
        _time.Advance(TimeSpan.FromSeconds(30));

        _gate.EndQuiet(TimeSpan.FromMinutes(10));

        Assert.Equal(["Information EventRepeatsEnded(1003) UplinkConnectFailed for old is over: recovered after 2 failures in 00:00:30"], Told());
        Assert.Equal(1, _gate.Open);
    }

    [Fact]
    public void IsFirst_MoreSubjectsThanTheTableHolds_LogsThemRatherThanGrow()
    {
        for (int i = 0; i < 5000; i++)
        {
            Assert.True(_gate.IsFirst(Event, $"peer{i}"));
        }

        Assert.Equal(4096, _gate.Open);
        Assert.True(_gate.IsFirst(Event, "peer4999"));
    }

    [Fact]
    public void IsFirst_AKnownFailure_AllocatesNothing()
    {
        _gate.IsFirst(Event, "a");
        _gate.IsFirst(Event, "a");
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                _gate.IsFirst(Event, "a");
            }
        }));
    }

    private string[] Told() => [.. _log.Events.Select(one => one.ToString())];
}
