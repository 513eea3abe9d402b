using NodeAgent.Rpc.Server.Transport;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Transport;

public sealed class WakePaceTests
{
    private readonly SimulatedTime _time = new();
    private readonly WakePace _pace;

    public WakePaceTests() => _pace = new WakePace(_time);

    [Fact]
    public void Rests_ManyConnectionsInAWindow_AndNoMoreWhenTheyStop()
    {
        int[] connections = new int[WakePace.Fleet + 5];
        PassWindow(connections);
        Assert.True(_pace.Rests);
        PassWindow(connections.AsSpan(0, 5));
        Assert.False(_pace.Rests);
    }

    [Fact]
    public void Rests_OneConnectionHoweverBusy_Never()
    {
        int connection = 0;
        for (int i = 0; i < 10_000; i++)
        {
            _pace.Count(ref connection);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            _pace.EndLook();
            Assert.False(_pace.Rests);
        }
    }

    [Fact]
    public void Rests_ManyConnectionsOverALongTime_Not()
    {
        int[] connections = new int[WakePace.Fleet * 2];
        for (int i = 0; i < connections.Length; i++)
        {
            _pace.Count(ref connections[i]);
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        _pace.EndLook();
        Assert.False(_pace.Rests);
    }

    [Fact]
    public void Rests_TheFirstLookOfAFleet_WaitsForNothing()
    {
        int[] connections = new int[WakePace.Fleet * 10];
        for (int i = 0; i < connections.Length; i++)
        {
            _pace.Count(ref connections[i]);
        }

        _pace.EndLook();
        Assert.False(_pace.Rests);
    }

    private void PassWindow(Span<int> connections)
    {
        foreach (ref int connection in connections)
        {
            _pace.Count(ref connection);
            _pace.Count(ref connection);
        }

        _time.Advance(WakePace.Window + TimeSpan.FromMilliseconds(1));
        _pace.EndLook();
    }
}
