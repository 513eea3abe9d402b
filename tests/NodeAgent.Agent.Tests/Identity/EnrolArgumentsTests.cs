using NodeAgent.Agent.Identity;

namespace NodeAgent.Agent.Tests.Identity;

public sealed class EnrolArgumentsTests
{
    [Theory]
    [InlineData("agg.example", "https://agg.example:7444/")]
    [InlineData("agg.example:9000", "https://agg.example:9000/")]
    [InlineData("agg.example:443", "https://agg.example/")]
    [InlineData("https://10.0.0.1:7444", "https://10.0.0.1:7444/")]
    [InlineData("[::1]:7444", "https://[::1]:7444/")]
    public void TryParse_Server_HasThePortOfEnrolmentUnlessItNamesOne(string server, string expected)
    {
        Assert.True(EnrolArguments.TryParse(["--token-file", "/t", "--server", server], out EnrolArguments parsed, out string error), error);
        Assert.Equal(expected, parsed.Server.ToString());
        Assert.Equal(("/t", null, null, false), (parsed.TokenFile, parsed.ServerName, parsed.Directory, parsed.Force));
    }

    [Theory]
    [InlineData("enrol needs --token-file and --server")]
    [InlineData("enrol needs --token-file and --server", "--server", "a")]
    [InlineData("--server needs one value", "--token-file", "/t", "--server")]
    [InlineData("--server needs one value", "--server", "a", "--server", "b")]
    [InlineData("--server: 'a b' is no HOST or HOST:PORT", "--token-file", "/t", "--server", "a b")]
    [InlineData("--server: 'http://a' is no HOST or HOST:PORT", "--token-file", "/t", "--server", "http://a")]
    [InlineData("unknown option '--tokn'", "--tokn", "/t")]
    public void TryParse_Mistake_IsNamed(string expected, params string[] arguments)
    {
        Assert.False(EnrolArguments.TryParse(arguments, out _, out string error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void TryParse_TokenOnTheCommandLine_IsRefusedAndNotRepeated()
    {
        string token = Contracts.Identity.EnrolmentToken.Create(new byte[32]).Reveal();
        foreach (string[] arguments in new string[][] { [token], ["--token-file", "/t", "--server", "a", token], [$"--token={token}"] })
        {
            Assert.False(EnrolArguments.TryParse(arguments, out _, out string error));
            Assert.DoesNotContain(token[20..60], error, StringComparison.Ordinal);
            Assert.Equal("enrol takes options only; the token comes from --token-file", error);
        }
    }
}
