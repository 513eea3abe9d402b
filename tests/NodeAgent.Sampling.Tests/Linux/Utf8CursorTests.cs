using System.Text;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Linux;

public sealed class Utf8CursorTests
{
    [Theory]
    [InlineData("0", true, 0)]
    [InlineData("  42 x", true, 42)]
    [InlineData("18446744073709551615", true, ulong.MaxValue)]
    [InlineData("00000000000000000000000000000007", false, 0)] // more digits than any number the kernel prints
    [InlineData("18446744073709551616", false, 0)]
    [InlineData("99999999999999999999", false, 0)]
    [InlineData("184467440737095516150", false, 0)]
    [InlineData("-1", false, 0)]
    [InlineData("", false, 0)]
    [InlineData("x", false, 0)]
    [InlineData("\n1", false, 0)]
    public void TryReadUInt64_OfText_ReadsExactly64Bits(string text, bool expected, ulong value)
    {
        Utf8Cursor cursor = Of(text);

        Assert.Equal(expected, cursor.TryReadUInt64(out ulong actual));
        Assert.Equal(value, actual);
    }

    [Fact]
    public void TryReadUInt64_OfRandomNumbers_RoundTrips()
    {
        Random random = new(3);
        for (int i = 0; i < 20_000; i++)
        {
            ulong number = (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(0, 64);
            Utf8Cursor cursor = Of($"{number} next");

            Assert.True(cursor.TryReadUInt64(out ulong actual));
            Assert.Equal(number, actual);
            Assert.True(cursor.TrySkip(" next"u8));
        }
    }

    [Theory]
    [InlineData("-9223372036854775807", true, -9223372036854775807)]
    [InlineData("9223372036854775807", true, long.MaxValue)]
    [InlineData("9223372036854775808", false, 0)]
    [InlineData("-5 ", true, -5)]
    [InlineData("- 5", false, 0)]
    [InlineData("--5", false, 0)]
    [InlineData("-", false, 0)]
    public void TryReadInt64_OfText_ReadsSignedNumbers(string text, bool expected, long value)
    {
        Utf8Cursor cursor = Of(text);

        Assert.Equal(expected, cursor.TryReadInt64(out long actual));
        Assert.Equal(value, actual);
    }

    [Theory]
    [InlineData("0.25 1", true, 0.25)]
    [InlineData("17", true, 17)]
    [InlineData("-3.5", true, -3.5)]
    [InlineData("NaN", false, 0)]
    [InlineData("Infinity", false, 0)]
    [InlineData(".", false, 0)]
    [InlineData("", false, 0)]
    public void TryReadDecimal_OfText_ReadsFiniteFractions(string text, bool expected, double value)
    {
        Utf8Cursor cursor = Of(text);

        Assert.Equal(expected, cursor.TryReadDecimal(out double actual));
        Assert.Equal(value, actual);
    }

    [Fact]
    public void TryReadLine_OfText_GivesLinesWithoutTheirEnds()
    {
        Utf8Cursor cursor = Of("one\n\nthree");

        Assert.Equal("one", Line(ref cursor));
        Assert.Equal("", Line(ref cursor));
        Assert.Equal("three", Line(ref cursor));
        Assert.Null(Line(ref cursor));
        Assert.True(cursor.IsAtEnd);
    }

    [Fact]
    public void TryReadField_AtTheEndOfALine_StopsBeforeTheNewline()
    {
        Utf8Cursor cursor = Of("a \t b\nc");

        Assert.True(cursor.TryReadField(out ReadOnlySpan<byte> first));
        Assert.Equal("a", Encoding.UTF8.GetString(first));
        Assert.True(cursor.TryReadField(out _));
        Assert.False(cursor.TryReadField(out _));
        cursor.SkipLine();
        Assert.Equal("c", Encoding.UTF8.GetString(cursor.Rest));
    }

    [Fact]
    public void AllMembers_OnRandomBytes_NeverThrowAndAlwaysProgress()
    {
        Random random = new(11);
        byte[] bytes = new byte[64];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            Utf8Cursor cursor = new(bytes.AsSpan(0, random.Next(0, bytes.Length)));
            int steps = 0;
            while (!cursor.IsAtEnd)
            {
                int before = cursor.Rest.Length;
                _ = cursor.TryReadUInt64(out _);
                _ = cursor.TryReadInt64(out _);
                _ = cursor.TryReadDecimal(out _);
                _ = cursor.TryReadField(out _);
                cursor.SkipBlanks();
                if (cursor.Rest.Length == before)
                {
                    cursor.SkipLine();
                }

                Assert.True(cursor.Rest.Length < before);
                Assert.True(++steps <= bytes.Length);
            }
        }
    }

    private static Utf8Cursor Of(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string? Line(ref Utf8Cursor cursor) =>
        cursor.TryReadLine(out ReadOnlySpan<byte> line) ? Encoding.UTF8.GetString(line) : null;
}
