using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Connection;

public sealed class ConnectionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodectl-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("lab", "lab", 7443, false)]
    [InlineData("lab:9000", "lab", 9000, false)]
    [InlineData("https://lab:9000/", "lab", 9000, false)]
    [InlineData("http://localhost", "localhost", 7443, true)]
    [InlineData("[::1]:9000", "::1", 9000, false)]
    [InlineData("::1", "::1", 7443, false)]
    public void ServerAddress_InEveryForm_IsRead(string text, string host, int port, bool plaintext)
    {
        Assert.True(ServerAddress.TryParse(text, out ServerAddress address, out _));
        Assert.Equal(new ServerAddress(host, port, plaintext), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lab:0")]
    [InlineData("lab:port")]
    [InlineData("ftp://lab")]
    [InlineData("https://lab/path")]
    [InlineData("a b")]
    [InlineData("fe80:1:2")]
    public void ServerAddress_ThatIsNone_IsRefusedWithAReason(string text)
    {
        Assert.False(ServerAddress.TryParse(text, out _, out string problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public async Task Settings_ComeFromOptionThenVariableThenProfileThenDefault()
    {
        string config = WriteConfig("""{"current":"lab","profiles":{"lab":{"server":"profile:1","ca":"ca.crt","cert":"me.crt","key":"me.key"}}}""");
        Bench bench = new();

        await bench.RunAsync(["status"]);
        Assert.Equal(("127.0.0.1:7443", "default"), Source(bench));

        bench.Variables["NODECTL_CONFIG"] = config;
        await bench.RunAsync(["status"]);
        Assert.Equal(("profile:1", "profile lab"), Source(bench));
        Assert.Equal(Path.Combine(_folder, "ca.crt"), bench.Connected!.CaPath);
        Assert.Equal(Path.Combine(_folder, "me.key"), bench.Connected.KeyPath);

        bench.Variables["NODECTL_SERVER"] = "variable:2";
        bench.Variables["NODECTL_CA"] = "other.crt";
        await bench.RunAsync(["status"]);
        Assert.Equal(("variable:2", "NODECTL_SERVER"), Source(bench));
        Assert.Equal("other.crt", bench.Connected!.CaPath);

        await bench.RunAsync(["status", "--server", "option:3", "--timeout", "2s"]);
        Assert.Equal(("option:3", "--server"), Source(bench));
        Assert.Equal(TimeSpan.FromSeconds(2), bench.Connected!.Timeout);
    }

    [Fact]
    public async Task Profile_NamedByOption_IsUsed()
    {
        Bench bench = new();
        bench.Variables["NODECTL_CONFIG"] = WriteConfig("""{"profiles":{"a":{"server":"a:1"},"b":{"server":"b:2"}}}""");

        await bench.RunAsync(["status", "--profile", "b"]);

        Assert.Equal(("b:2", "profile b"), Source(bench));
    }

    [Fact]
    public async Task ConfigurationFolder_GivenInsteadOfAFile_HoldsConfigJson()
    {
        WriteConfig("""{"profiles":{"only":{"server":"only:1"}}}""");
        Bench bench = new();
        bench.Variables["NODECTL_CONFIG"] = _folder;

        await bench.RunAsync(["status"]);

        Assert.Equal(("only:1", "profile only"), Source(bench));
    }

    [Theory]
    [InlineData("""{"profiles":{"lab":{"sever":"x","ca":5}},"curent":"lab"}""",
        "cannot use {0}: unknown key 'profiles.lab.sever' Did you mean 'server'?; profiles.lab.ca must be a string; unknown key 'curent' Did you mean 'current'?")]
    [InlineData("""{"current":"lba","profiles":{"lab":{}}}""", "cannot use {0}: no profile 'lba' (known: lab) Did you mean 'lab'?")]
    [InlineData("""{"profiles":{"lab":{"server":"lab:0"}}}""", "cannot use {0}: profiles.lab.server: '0' is no port from 1 to 65535")]
    [InlineData("[]", "cannot use {0}: the file must be an object")]
    [InlineData("{\n  \"current\": \"lab\n}", "cannot read {0}: not JSON at line 2, column 18. Correct it; docs/nodectl.md shows an example.")]
    public async Task Configuration_ThatIsWrong_NamesEveryErrorAtOnce(string json, string expected)
    {
        Bench bench = new();
        string path = bench.Variables["NODECTL_CONFIG"] = WriteConfig(json);

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["nodes"]));
        Assert.Equal($"nodectl: {string.Format(expected, path)}\n", bench.Errors);
    }

    [Fact]
    public async Task Profile_ThatIsNotThere_IsAnErrorThatNamesTheOthers()
    {
        Bench bench = new();
        bench.Variables["NODECTL_CONFIG"] = WriteConfig("""{"profiles":{"lab":{},"prod":{}}}""");

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["nodes", "--profile", "prdo"]));
        Assert.Equal("nodectl: cannot use profile 'prdo': no profile 'prdo' (known: lab, prod) Did you mean 'prod'?\n", bench.Errors);
    }

    [Fact]
    public void Identity_WithAMissingFile_IsAUsageErrorThatNamesIt()
    {
        string path = Path.Combine(_folder, "absent.crt");

        CtlException failure = Assert.Throws<CtlException>(() => IdentityFiles.LoadAuthorities(path));

        Assert.Equal(ExitCode.Usage, failure.Code);
        Assert.Contains(path, failure.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void Identity_ThatIsNoPem_IsAUsageErrorThatNamesIt()
    {
        string path = Path.Combine(_folder, "garbage.crt");
        File.WriteAllText(path, "no certificate at all");

        Assert.Contains(path, Assert.Throws<CtlException>(() => IdentityFiles.LoadAuthorities(path)).Line, StringComparison.Ordinal);
        Assert.Contains(path, Assert.Throws<CtlException>(() => IdentityFiles.LoadIdentity(path, path)).Line, StringComparison.Ordinal);
    }

    private static (string, string) Source(Bench bench) => (bench.Connected!.Server.Authority, bench.Connected.ServerSource);

    private string WriteConfig(string json)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, json);
        return path;
    }
}
