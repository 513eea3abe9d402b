using NodeAgent.Hosting.Configuration;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Hosting.Tests.Configuration;

public sealed class PageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "fixtures", "config", "pages");

    [Fact]
    public void Example_LoadedAsItIs_GivesTheDefaults()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("nodeagent-config-").FullName, "example.json");
        File.WriteAllText(path, Example());
        LoadedConfiguration<SampleOptions> loaded = SampleOptions.Settings.Load(new ConfigurationSources { Files = [path] });
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

        Assert.Empty(loaded.Errors);
        LoadedConfiguration<SampleOptions> defaults = SampleOptions.Settings.Load(new ConfigurationSources { Overrides = ["uplink.aggregator=https://aggregator.example:7443"] });
        Assert.Equal(ConfigurationText.Effective(defaults, withSources: false), ConfigurationText.Effective(loaded, withSources: false));
    }

    [Fact]
    public void Example_TheSampleCatalogue_IsAsRecorded() => Compare("example.json", Example());

    [Fact]
    public void Page_TheSampleCatalogue_IsAsRecorded() => Compare("page.md", ConfigurationPage.Render(SampleOptions.Settings, "sample"));

    [Fact]
    public void Effective_ItsOwnOutput_LoadsToTheSameValues()
    {
        LoadedConfiguration<SampleOptions> first = Load(Path.Combine(Folder, "..", "sample", "everything.good.json"));
        string path = Path.Combine(Directory.CreateTempSubdirectory("nodeagent-config-").FullName, "effective.json");
        File.WriteAllText(path, ConfigurationText.Effective(first, withSources: true));
        LoadedConfiguration<SampleOptions> second = Load(path);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

        Assert.Empty(second.Errors);
        Assert.Equal("***", second.Options.Uplink.Token); // the one thing that is not printed
        Assert.Equal(ConfigurationText.Effective(first, withSources: false), ConfigurationText.Effective(second, withSources: false));
    }

    [Fact]
    public void Define_AKeyTwiceOrMisspelled_IsABug()
    {
        Assert.Throws<ArgumentException>(() => SettingCatalog.Define<SampleOptions.SamplerOptions>(s => s
            .Bool("enabled", o => o.Enabled, (o, v) => o.Enabled = v, "x").Bool("enabled", o => o.Enabled, (o, v) => o.Enabled = v, "x")));
        Assert.Throws<ArgumentException>(() => SettingCatalog.Define<SampleOptions.SamplerOptions>(s => s
            .Bool("IsEnabled", o => o.Enabled, (o, v) => o.Enabled = v, "x")));
    }

    private static string Example() => ConfigurationText.Example(SampleOptions.Settings, "Configuration of the sample.");

    private static LoadedConfiguration<SampleOptions> Load(string path) => SampleOptions.Settings.Load(new ConfigurationSources { Files = [path] });

    private static void Compare(string file, string actual)
    {
        string path = Path.Combine(Folder, file);
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }
}
