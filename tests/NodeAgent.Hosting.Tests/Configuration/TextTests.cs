using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Hosting.Tests.Configuration;

public sealed class TextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("1s", 10_000_000)]
    [InlineData("500ms", 5_000_000)]
    [InlineData("1.5s", 15_000_000)]
    [InlineData("5m", 3_000_000_000)]
    [InlineData("2h", 72_000_000_000)]
    [InlineData("7d", 6_048_000_000_000)]
    [InlineData("250us", 2_500)]
    public void Duration_AsPeopleWriteIt_IsRead(string text, long ticks)
    {
        Assert.True(DurationText.TryParse(text, out TimeSpan duration));
        Assert.Equal(ticks, duration.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5")]
    [InlineData("-1s")]
    [InlineData("1 s")]
    [InlineData(" 1s")]
    [InlineData("1S")]
    [InlineData("1e3s")]
    [InlineData("1,5s")]
    [InlineData("1m30s")]
    [InlineData("99999999999d")]
    [InlineData("79228162514264337593543950335d")]
    [InlineData("NaNs")]
    public void Duration_AnythingElse_IsRefused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(10_000_000, "1s")]
    [InlineData(15_000_000, "1500ms")]
    [InlineData(600_000_000, "1m")]
    [InlineData(900_000_000, "90s")]
    [InlineData(864_000_000_000, "1d")]
    [InlineData(10, "1us")]
    [InlineData(1, "0.0000001s")]
    public void Duration_Formatted_ReadsBackExactly(long ticks, string text)
    {
        Assert.Equal(text, DurationText.Format(new TimeSpan(ticks)));
        Assert.True(DurationText.TryParse(text, out TimeSpan duration));
        Assert.Equal(ticks, duration.Ticks);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(12_345, "1.23ms")]
    [InlineData(1_234, "123us")]
    [InlineData(123_456_789, "12.3s")]
    [InlineData(1_199_999_999, "120s")]
    [InlineData(2_000_000_000, "3.33m")]
    [InlineData(-10_000_000, "-1s")]
    [InlineData(long.MaxValue, "10675199d")]
    public void Duration_Rounded_HasAboutThreeDigits(long ticks, string text) => Assert.Equal(text, DurationText.FormatRounded(new TimeSpan(ticks)));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("17", 17)]
    [InlineData("17B", 17)]
    [InlineData("64MiB", 64L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("3kB", 3000)]
    [InlineData("2TiB", 2L << 40)]
    public void Bytes_AsPeopleWriteThem_AreRead(string text, long bytes)
    {
        Assert.True(ByteText.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("1.0001KiB")]
    [InlineData("64mib")]
    [InlineData("64 MiB")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999TiB")]
    public void Bytes_AnythingElse_IsRefused(string text) => Assert.False(ByteText.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0B")]
    [InlineData(1, "1B")]
    [InlineData(1536, "1536B")]
    [InlineData(3000, "3kB")]
    [InlineData(10_000_000_000, "10GB")]
    [InlineData(1024, "1KiB")]
    [InlineData(64L << 20, "64MiB")]
    [InlineData(long.MaxValue, "9223372036854775807B")]
    public void Bytes_Formatted_ReadBackExactly(long bytes, string text)
    {
        Assert.Equal(text, ByteText.Format(bytes));
        Assert.True(ByteText.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "abd", 1)]
    [InlineData("abc", "acb", 1)]
    [InlineData("abc", "ab", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void EditDistance_KnownPairs_Match(string a, string b, int distance)
    {
        Assert.Equal(distance, EditDistance.Between(a, b));
        Assert.Equal(distance, EditDistance.Between(b, a));
    }
}
