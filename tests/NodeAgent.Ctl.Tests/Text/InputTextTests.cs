using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Tests.Text;

public sealed class InputTextTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(HandTime.StartUnixMs);

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("10s", 10_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("2d", 172_800_000)]
    [InlineData("1w", 604_800_000)]
    [InlineData("1.5h", 5_400_000)]
    public void Duration_AsPeopleWriteIt_IsRead(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("10 s")]
    [InlineData("-5m")]
    [InlineData("5x")]
    [InlineData("1..5h")]
    [InlineData("99999999w")]
    public void Duration_ThatIsNone_IsRefused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(250, "250ms")]
    [InlineData(5_400_000, "1h30m")]
    [InlineData(90_061_001, "1d1h1m1s1ms")]
    public void Exact_OfADuration_IsReadBackTheSame(long milliseconds, string expected)
    {
        Assert.Equal(expected, DurationText.Exact(TimeSpan.FromMilliseconds(milliseconds)));
        Assert.True(DurationText.TryParse(expected, out TimeSpan back));
        Assert.Equal(milliseconds, back.TotalMilliseconds);
    }

    [Theory]
    [InlineData("now", 0)]
    [InlineData("10m", -600_000)]
    [InlineData("-10m", -600_000)]
    [InlineData("2026-11-21T09:00:00Z", -1_200_000)]
    [InlineData("2026-11-21T10:00:00+01:00", -1_200_000)]
    [InlineData("2026-11-21 09:00", -1_200_000)]
    [InlineData("1795252200", -600_000)]
    [InlineData("1795252200000", -600_000)]
    public void Moment_AsPeopleWriteIt_IsRead(string text, long fromNow)
    {
        Assert.True(MomentText.TryParse(text, Now, out long unixMs));
        Assert.Equal(HandTime.StartUnixMs + fromNow, unixMs);
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2026-13-01")]
    [InlineData("")]
    public void Moment_ThatIsNone_IsRefused(string text) => Assert.False(MomentText.TryParse(text, Now, out _));

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Rfc3339_OfAnImpossibleTime_IsTheNumber(long unixMs) => Assert.Equal(unixMs.ToString(), MomentText.Rfc3339(unixMs));

    [Theory]
    [InlineData("nods", "nodes")]
    [InlineData("qurey", "query")]
    [InlineData("STATUS", "status")]
    [InlineData("comp", "completion")]
    public void Nearest_ToAMisspelling_IsTheWord(string word, string expected) =>
        Assert.Equal(expected, Nearest.To(word, ["nodes", "query", "status", "completion", "events"]));

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("x")]
    public void Nearest_ToSomethingElse_IsNothing(string word) => Assert.Null(Nearest.To(word, ["nodes", "query", "status"]));

    [Fact]
    public void Caret_UnderAPosition_PointsAtThatCharacter() =>
        Assert.Equal(["  rate(node_load1[5)", "                  ^"], Caret.Under("rate(node_load1[5)", "a window needs a unit (position 17)"));

    [Theory]
    [InlineData("no place is named")]
    [InlineData("far away (position 400)")]
    [InlineData("before the beginning (position 0)")]
    public void Caret_WithoutAUsablePosition_IsAbsent(string message) => Assert.Empty(Caret.Under("up", message));

    [Fact]
    public void Printable_OfControlAndBidiCharacters_ShowsThemAsEscapes() =>
        Assert.Equal(@"a\x1b[2Jb\nc\u202ed\x9b", Printable.Of("a\e[2Jb\nc\u202ed\u009b"));
}
