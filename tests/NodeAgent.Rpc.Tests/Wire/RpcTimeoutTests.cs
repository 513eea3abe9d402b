using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Tests.Wire;

public sealed class RpcTimeoutTests
{
    [Theory]
    [InlineData(0L, "100n")]
    [InlineData(1L, "100n")]
    [InlineData(10_000L, "1000000n")]
    [InlineData(999_999L, "99999900n")]
    [InlineData(1_000_000L, "100000u")]
    [InlineData(1_000_000_001L, "100001m")]
    [InlineData(TimeSpan.TicksPerHour, "3600000m")]
    [InlineData(TimeSpan.TicksPerDay * 30, "2592000S")]
    public void Encode_Ticks_FitsEightDigitsAndNeverEndsEarlier(long ticks, string text)
    {
        string encoded = RpcTimeout.Encode(new TimeSpan(ticks));
        Assert.True(encoded.Length <= 9);
        Assert.True(RpcTimeout.TryParse(encoded, out TimeSpan parsed));
        Assert.True(parsed.Ticks >= ticks);
        Assert.Equal(text, encoded);
    }

    [Fact]
    public void Encode_LongerThanEightDigitsOfHours_IsTheLongestThereIs() => Assert.Equal("99999999H", RpcTimeout.Encode(TimeSpan.MaxValue));

    [Theory]
    [InlineData("1H", TimeSpan.TicksPerHour)]
    [InlineData("2M", 2 * TimeSpan.TicksPerMinute)]
    [InlineData("3S", 3 * TimeSpan.TicksPerSecond)]
    [InlineData("4m", 4 * TimeSpan.TicksPerMillisecond)]
    [InlineData("5u", 5 * TimeSpan.TicksPerMicrosecond)]
    [InlineData("600n", 6L)]
    [InlineData("1n", 1L)]
    [InlineData("0m", 0L)]
    public void TryParse_EachUnit_IsRead(string text, long ticks)
    {
        Assert.True(RpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("H")]
    [InlineData("12")]
    [InlineData("123456789n")]
    [InlineData(" 1m")]
    [InlineData("+1m")]
    [InlineData("1h")]
    [InlineData("١m")]
    public void TryParse_NoTimeout_IsRefused(string? text) => Assert.False(RpcTimeout.TryParse(text, out _));
}
