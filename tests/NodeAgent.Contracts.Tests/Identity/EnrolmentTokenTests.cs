using System.Security.Cryptography;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Contracts.Tests.Identity;

public sealed class EnrolmentTokenTests
{
    private static readonly byte[] Pin = SHA256.HashData([1]);

    [Fact]
    public void TryParse_WhatWasRevealed_IsTheSameToken()
    {
        EnrolmentToken token = EnrolmentToken.Create(Pin);
        Assert.True(EnrolmentToken.TryParse($"  {token.Reveal()}\r\n", out EnrolmentToken? read));
        Assert.Equal((token.Id, Convert.ToHexString(token.HashSecret()), Convert.ToHexString(Pin)), (read.Id, Convert.ToHexString(read.HashSecret()), Convert.ToHexString(read.Pin.Span)));
    }

    [Fact]
    public void Create_Twice_HasNothingInCommonButThePin()
    {
        string[] one = EnrolmentToken.Create(Pin).Reveal().Split('.');
        string[] other = EnrolmentToken.Create(Pin).Reveal().Split('.');
        Assert.NotEqual(one[1], other[1]);
        Assert.NotEqual(one[2], other[2]);
        Assert.Equal((one[0], one[3]), (other[0], other[3]));
    }

    [Fact]
    public void ToString_OfAToken_HasNotTheSecret()
    {
        EnrolmentToken token = EnrolmentToken.Create(Pin);
        Assert.Equal($"na1.{token.Id}", token.ToString());
    }

    [Fact]
    public void TryParse_AnythingElse_IsNone()
    {
        string good = EnrolmentToken.Create(Pin).Reveal();
        string[] parts = good.Split('.');
        string lastOfSecret = parts[2][..^1]; // 43 digits hold 258 bits: the last one has two that must be zero
        Assert.All(
            [
                "", "na1", "na1...", good[1..], good[..^1], good + "0", good + ".x", good.Replace("na1", "na2", StringComparison.Ordinal), good.ToUpperInvariant(),
                $"na1.{parts[1]}.{parts[2]}=.{parts[3]}", $"na1.{parts[1]}.{lastOfSecret}/.{parts[3]}", $"na1.{parts[1]}.{lastOfSecret}_.{parts[3]}", $"na1.{parts[1]}. {lastOfSecret}.{parts[3]}",
                $"na1.{parts[1]}.{parts[2]}.{parts[3].ToUpperInvariant()}", new string('.', 10_000),
            ],
            text => Assert.False(EnrolmentToken.TryParse(text, out _), text));
    }
}
