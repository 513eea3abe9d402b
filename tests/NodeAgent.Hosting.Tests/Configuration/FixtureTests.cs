using NodeAgent.Hosting.Configuration;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Hosting.Tests.Configuration;

/// <summary>
/// Good files with what they come to, bad ones with their exact messages. GOLDEN_UPDATE=1 writes the expectations anew; read the diff.
/// </summary>
public sealed class FixtureTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "fixtures", "config", "sample");

    public static TheoryData<string> Good => new(Names("good"));

    public static TheoryData<string> Bad => new(Names("bad"));

    [Theory]
    [MemberData(nameof(Good))]
    public void Load_AGoodFile_GivesTheseValuesFromThesePlaces(string file)
    {
        LoadedConfiguration<SampleOptions> loaded = Load(file);
        Assert.Equal("", Told(loaded));
        Compare(file, ConfigurationText.Effective(loaded, withSources: true).Replace(Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void Load_ABadFile_TellsEverythingThatIsWrong(string file)
    {
        LoadedConfiguration<SampleOptions> loaded = Load(file);
        Assert.False(loaded.IsValid);
        Compare(file, Told(loaded));
    }

    private static string[] Names(string kind) =>
        [.. Directory.GetFiles(Folder, $"*.{kind}.json").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static LoadedConfiguration<SampleOptions> Load(string file) =>
        SampleOptions.Settings.Load(new ConfigurationSources { Files = [Path.Combine(Folder, file)] });

    private static string Told(LoadedConfiguration<SampleOptions> loaded) =>
        string.Concat(loaded.Errors.Select(error => $"{error}\n")).Replace(Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);

    private static void Compare(string file, string actual)
    {
        string path = Path.Combine(Folder, Path.ChangeExtension(file, ".expected"));
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }
}
