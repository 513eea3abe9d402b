using System.Net;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Testing;

namespace NodeAgent.Aggregator.Tests.Identity;

public sealed class JoinThrottleTests
{
    private readonly SimulatedTime _time = new();

    [Fact]
    public void TryTake_SixFailuresAMinute_TheSixthWaits()
    {
        JoinThrottle throttle = new(_time);
        IPAddress address = IPAddress.Loopback; // no exception for this machine
        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(throttle.TryTake(address)));
        Assert.False(throttle.TryTake(address));
        Assert.True(throttle.TryTake(IPAddress.Parse("192.0.2.1")));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(throttle.TryTake(address));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(throttle.TryTake(address));
    }

    [Fact]
    public void GiveBack_AfterSuccesses_ARackBehindOneAddressGoesOn()
    {
        JoinThrottle throttle = new(_time);
        IPAddress address = IPAddress.Parse("192.0.2.1");
        for (int i = 0; i < 100; i++)
        {
            Assert.True(throttle.TryTake(address));
            throttle.GiveBack(address);
        }
    }

    [Fact]
    public void TryTake_AddressesOfOneNetwork_CountAsOne()
    {
        JoinThrottle throttle = new(_time);
        Assert.All(Enumerable.Range(1, 5), i => Assert.True(throttle.TryTake(IPAddress.Parse($"2001:db8::{i}"))));
        Assert.False(throttle.TryTake(IPAddress.Parse("2001:db8::ffff")));
        Assert.True(throttle.TryTake(IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public void TryTake_MoreAddressesThanAreRemembered_StrangersWaitAndMemoryIsBounded()
    {
        JoinThrottle throttle = new(_time);
        for (int i = 0; i < JoinThrottle.MostAddresses; i++)
        {
            Assert.True(throttle.TryTake(new IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i])));
        }

        Assert.False(throttle.TryTake(IPAddress.Parse("192.0.2.1")));
        Assert.True(throttle.TryTake(new IPAddress([10, 0, 0, 1])));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.True(throttle.TryTake(IPAddress.Parse("192.0.2.1")));
    }
}
