using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class ReceivePauseTests
{
    private readonly SimulatedTime _time = new();
    private readonly ReceivePause _pause;
    private int _rests;

    public ReceivePauseTests() => _pause = new ReceivePause(_time, time =>
    {
        _rests++;
        _time.Advance(time);
    });

    [Fact]
    public void OnArrived_FewWakes_NeverRests()
    {
        Arrive(1000, TimeSpan.FromMilliseconds(5));
        Assert.Equal(0, _rests);
    }

    [Fact]
    public void OnArrived_ManyWakes_RestsAtEachOnceThatIsSure()
    {
        Arrive(ReceivePause.Enough - 1, TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _rests);
        Arrive(100, TimeSpan.FromMilliseconds(1));
        Assert.Equal(100, _rests);
    }

    [Fact]
    public void OnArrived_RestOfTheBatch_IsTakenWithoutAnotherRest()
    {
        Arrive(50, TimeSpan.FromMilliseconds(1));
        int before = _rests;
        Arrive(20, TimeSpan.FromMicroseconds(10));
        Assert.Equal(before, _rests);
        Arrive(1, TimeSpan.FromMilliseconds(1));
        Assert.Equal(before + 1, _rests);
    }

    [Fact]
    public void OnArrived_Flood_NeverRests()
    {
        Arrive(100_000, TimeSpan.FromMicroseconds(20));
        Assert.Equal(0, _rests);
    }

    [Fact]
    public void OnArrived_LoadIsOver_SoonStopsResting()
    {
        Arrive(1000, TimeSpan.FromMilliseconds(1));
        int before = _rests;
        Arrive(100, TimeSpan.FromMilliseconds(50));
        Assert.InRange(_rests - before, 0, 2);
    }

    [Fact]
    public void OnArrived_ACallOfAFewRoundTrips_DoesNotWaitForARest()
    {
        for (int call = 0; call < 100; call++)
        {
            Arrive(6, TimeSpan.FromMilliseconds(1));
            Arrive(1, TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(0, _rests);
    }

    private void Arrive(int times, TimeSpan after)
    {
        for (int i = 0; i < times; i++)
        {
            _time.Advance(after);
            _pause.OnArrived();
        }
    }
}
