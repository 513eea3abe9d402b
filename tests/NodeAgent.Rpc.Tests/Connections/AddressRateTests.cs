using System.Net;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class AddressRateTests
{
    private readonly SimulatedTime _time = new();

    [Fact]
    public void TryTake_ASecondsWorthAtOnce_ThenAtTheRate()
    {
        AddressRate rate = new(perSecond: 20, mostAddresses: 10, _time);
        Assert.Equal(20, Taken(rate, "203.0.113.5", 50));
        _time.Advance(TimeSpan.FromMilliseconds(51));
        Assert.Equal(1, Taken(rate, "203.0.113.5", 50));
        _time.Advance(TimeSpan.FromMilliseconds(501));
        Assert.Equal(10, Taken(rate, "203.0.113.5", 50));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(20, Taken(rate, "203.0.113.5", 50));
    }

    [Fact]
    public void TryTake_AnotherAddress_HasItsOwn()
    {
        AddressRate rate = new(perSecond: 20, mostAddresses: 10, _time);
        Assert.Equal(20, Taken(rate, "203.0.113.5", 50));
        Assert.Equal(20, Taken(rate, "203.0.113.6", 50));
        Assert.Equal(0, Taken(rate, "::ffff:203.0.113.6", 50));
    }

    [Fact]
    public void TryTake_OneNetworkOfIPv6_CountsAsOne()
    {
        AddressRate rate = new(perSecond: 20, mostAddresses: 10, _time);
        Assert.Equal(20, Taken(rate, "2001:db8:1:2::1", 30));
        Assert.Equal(0, Taken(rate, "2001:db8:1:2:ffff:ffff:ffff:ffff", 30));
        Assert.Equal(20, Taken(rate, "2001:db8:1:3::1", 30));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.9.9.9")]
    [InlineData("::1")]
    public void TryTake_Loopback_IsNotLimited(string address) =>
        Assert.Equal(1000, Taken(new AddressRate(perSecond: 1, mostAddresses: 10, _time), address, 1000));

    [Fact]
    public void TryTake_NoLimitOrNoAddress_AlwaysMay()
    {
        Assert.Equal(1000, Taken(new AddressRate(perSecond: 0, mostAddresses: 10, _time), "203.0.113.5", 1000));
        Assert.True(new AddressRate(perSecond: 1, mostAddresses: 10, _time).TryTake(null));
    }

    [Fact]
    public void TryTake_MoreAddressesThanItKeeps_ForgetsTheOneLongestUnseen()
    {
        AddressRate rate = new(perSecond: 1, mostAddresses: 3, _time);
        foreach (int host in new[] { 1, 2, 3 })
        {
            Assert.Equal(1, Taken(rate, $"203.0.113.{host}", 2));
        }

        // 1 is seen again, so 2 goes when 4 comes.
        Assert.Equal(0, Taken(rate, "203.0.113.1", 1));
        Assert.Equal(1, Taken(rate, "203.0.113.4", 1));
        Assert.Equal(0, Taken(rate, "203.0.113.1", 1));
        Assert.Equal(0, Taken(rate, "203.0.113.3", 1));
        Assert.Equal(1, Taken(rate, "203.0.113.2", 1));
    }

    private static int Taken(AddressRate rate, string address, int tries) =>
        Enumerable.Range(0, tries).Count(_ => rate.TryTake(IPAddress.Parse(address)));
}
