using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Hosting.Tests.Configuration;

public sealed class LoadTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodeagent-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_EverySource_LaterWinsAndIsNamed()
    {
        string file = Write("agent.json", """{ "sampling": { "interval": "2s", "per_core": true }, "uplink": { "aggregator": "https://file:1", "streams": 2, "name": "file" } }""");
        Write("d/20-b.json", """{ "uplink": { "streams": 20, "name": "b" } }""");
        Write("d/10-a.json", """{ "uplink": { "streams": 3, "name": "a", "retries": 7 } }""");
        Write("d/ignored.conf", "not json");
        LoadedConfiguration<SampleOptions> loaded = SampleOptions.Settings.Load(new ConfigurationSources
        {
            Files = [file],
            DropInFolder = Path.Combine(_folder, "d"),
            EnvironmentPrefix = "SAMPLE_",
            Environment = Pairs(("SAMPLE_UPLINK__NAME", "env"), ("SAMPLE_UPLINK__STREAMS", "5"), ("OTHER__X", "1")),
            Overrides = ["uplink.streams=6"],
        });

        Assert.Equal(["d/20-b.json:1:15: 'uplink.streams' is 20; allowed is a whole number from 1 to 16"], Told(loaded));
        Assert.Equal((TimeSpan.FromSeconds(2), 7, "env", 6), (loaded.Options.Sampling.Interval, loaded.Options.Uplink.Retries, loaded.Options.Uplink.Name, loaded.Options.Uplink.Streams));
        Assert.Equal(
            ["agent.json:1:17", "d/10-a.json:1:42", "environment SAMPLE_UPLINK__NAME", "--set", "default"],
            new[] { "sampling.interval", "uplink.retries", "uplink.name", "uplink.streams", "spool.folder" }.Select(key => Relative(loaded.SourceOf(key).ToString())));
    }

    [Fact]
    public void Load_NoSources_GivesTheDefaultsAndAsksForWhatIsRequired()
    {
        LoadedConfiguration<SampleOptions> loaded = SampleOptions.Settings.Load(new ConfigurationSources());
        Assert.Equal("uplink.aggregator", Assert.Single(loaded.Errors).Key);
        Assert.Equal(TimeSpan.FromSeconds(1), loaded.Options.Sampling.Interval);
    }

    [Theory]
    [InlineData("uplink.labels=a, b,,c", "a|b|c")]
    [InlineData("uplink.labels=", "")]
    public void Load_AListAsText_IsSplitAtCommas(string argument, string expected) =>
        Assert.Equal(expected, string.Join('|', Override(argument).Options.Uplink.Labels));

    [Fact]
    public void Load_AnEmptyText_LeavesAnOptionalSettingOpen() =>
        Assert.Null(Override("uplink.retries=3", "uplink.retries=").Options.Uplink.Retries);

    [Fact]
    public void Load_ANameWithDotsInAnArgument_BelongsToTheName()
    {
        LoadedConfiguration<SampleOptions> loaded = Override(
            "sampling.interfaces.eth0.100.speed_mbit=10", "log.levels.Microsoft.AspNetCore=error", "sampling.interfaces.lo.speed_mbit=1");
        Assert.Empty(loaded.Errors);
        Assert.Equal(["eth0.100", "lo"], loaded.Options.Sampling.Interfaces.Keys.Order());
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Error, loaded.Options.Log.Levels["Microsoft.AspNetCore"]);
    }

    [Theory]
    [InlineData("uplink.streams", "--set: \"uplink.streams\" is not key=value, such as sampling.interval=5s")]
    [InlineData("=5", "--set: \"=5\" is not key=value, such as sampling.interval=5s")]
    [InlineData("uplink.stream=5", "--set: unknown key 'uplink.stream'; did you mean 'uplink.streams'?")]
    [InlineData("uplink=5", "--set: 'uplink' is \"5\"; it is a section: { \"aggregator\": ..., \"fallback\": ..., \"name\": ..., \"token\": ... }")]
    [InlineData("uplink.streams=1=2", "--set: 'uplink.streams' is \"1=2\"; allowed is a whole number from 1 to 16")]
    [InlineData("sampling.samplers.gpu.enabled=true", "--set: unknown key 'sampling.samplers.gpu.enabled'; did you mean 'sampling.samplers.cpu.enabled'?")]
    [InlineData("sampling.interfaces.eth0=1", "--set: 'sampling.interfaces.eth0' is \"1\"; it is a section: { \"speed_mbit\": ... }")]
    [InlineData("uplink.token=a\u0007", "--set: 'uplink.token' is (a secret, not shown); allowed is text that is not empty, at most 1024 characters on one line, or null")]
    public void Load_ABadArgument_IsOneClearError(string argument, string message) =>
        Assert.Equal([message], Told(Override(argument)));

    [Fact]
    public void Load_AnUnknownVariableOfOurs_IsAnErrorWithASuggestion() => Assert.Equal(
        ["environment SAMPLE_UPLINK__STREAM: unknown key 'uplink.stream'; did you mean 'uplink.streams'?"], Told(FromEnvironment(("SAMPLE_UPLINK__STREAM", "2"))));

    [Fact]
    public void Load_AVariableWithOneUnderscoreTooFew_IsAnErrorNotSilence() => Assert.Equal(
        ["environment SAMPLE_SPOOL_MAX_BYTES: sets nothing; did you mean SAMPLE_SPOOL__MAX_BYTES?"], Told(FromEnvironment(("SAMPLE_SPOOL_MAX_BYTES", "1"))));

    [Fact]
    public void Load_VariablesThatKubernetesPutsThere_AreNotOurs() => Assert.Empty(
        FromEnvironment(("SAMPLE_PORT", "tcp://10.0.0.1:7443"), ("SAMPLE_SERVICE_HOST", "10.0.0.1"), ("SAMPLE_PORT_7443_TCP_PROTO", "tcp")).Errors);

    [Fact]
    public void Load_AMissingFile_IsOneErrorWithoutFalseOnesAboutItsContent() =>
        Assert.Equal(["none.json: does not exist"], Told(FromFile(Path.Combine(_folder, "none.json"))));

    [Fact]
    public void Load_AMissingOptionalFile_IsFine()
    {
        LoadedConfiguration<SampleOptions> loaded = SampleOptions.Settings.Load(new ConfigurationSources
        {
            OptionalFiles = [Path.Combine(_folder, "none.json")],
            DropInFolder = Path.Combine(_folder, "none.d"),
            Overrides = ["uplink.aggregator=https://a:1"],
        });
        Assert.Empty(loaded.Errors);
    }

    [Fact]
    public void Load_AFolderInsteadOfAFile_SaysSo() => Assert.Equal([": is a folder, not a file"], [.. Told(FromFile(_folder)).Select(line => line.Replace(_folder, "", StringComparison.Ordinal))]);

    [Fact]
    public void Load_AFileOverTheLimit_IsNotRead()
    {
        string file = Write("big.json", "// " + new string('x', 1024 * 1024));
        Assert.Equal(["big.json: is too large for a configuration file: 1048579 bytes, at most 1048576"], Told(FromFile(file)));
    }

    [Fact]
    public void Load_TheBrokenFileOfTwo_StillTellsTheErrorsOfTheOther()
    {
        string broken = Write("a.json", "{");
        string other = Write("b.json", """{ "sampling": { "interval": 1 }, "spool": { "min_bytes": "1GiB" } }""");
        LoadedConfiguration<SampleOptions> loaded = SampleOptions.Settings.Load(new ConfigurationSources { Files = [broken, other] });
        string[] told = Told(loaded);
        Assert.Equal(2, told.Length);
        Assert.StartsWith("a.json:1:2: not valid JSON: ", told[0], StringComparison.Ordinal);
        Assert.StartsWith("b.json:1:17: 'sampling.interval' is 1; ", told[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RandomBytesAndCutFiles_NeverThrow()
    {
#pragma warning disable RS0030 // seeded
        Random random = new(7);
#pragma warning restore RS0030
        byte[] good = File.ReadAllBytes(Path.Combine(NodeAgent.Testing.Processes.Repository.Root, "tests/fixtures/config/sample/everything.good.json"));
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = i < good.Length ? good[..i] : [.. good];
            for (int flips = i % 4; flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            LoadReport report = new(_ => null);
            IReadOnlyList<RawSetting> settings = ConfigurationFile.Parse("x", bytes, report);
            Assert.All(settings, setting => Assert.InRange(setting.Source.Line, 1, 100));
            Assert.All(report.Errors, error => Assert.InRange(error.Source.Column, 1, 1000));
        }
    }

    private LoadedConfiguration<SampleOptions> FromFile(string path) => SampleOptions.Settings.Load(new ConfigurationSources { Files = [path] });

    private static LoadedConfiguration<SampleOptions> Override(params string[] arguments) =>
        SampleOptions.Settings.Load(new ConfigurationSources { Overrides = ["uplink.aggregator=https://a:1", .. arguments] });

    private static LoadedConfiguration<SampleOptions> FromEnvironment(params (string Name, string Value)[] variables) =>
        SampleOptions.Settings.Load(new ConfigurationSources
        {
            EnvironmentPrefix = "SAMPLE_",
            Environment = Pairs(variables),
            Overrides = ["uplink.aggregator=https://a:1"],
        });

    private static KeyValuePair<string, string>[] Pairs(params (string Name, string Value)[] variables) =>
        [.. variables.Select(variable => KeyValuePair.Create(variable.Name, variable.Value))];

    private string[] Told(LoadedConfiguration<SampleOptions> loaded) => [.. loaded.Errors.Select(error => Relative(error.ToString()))];

    private string Relative(string text) => text.Replace(_folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);

    private string Write(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }
}
