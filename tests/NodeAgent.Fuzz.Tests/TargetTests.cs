using System.Reflection;
using NodeAgent.Fuzz.Engine;
using NodeAgent.Testing;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Fuzz.Tests;

/// <summary>Every target with every build: briefly over new inputs, and over each input that once failed.</summary>
public sealed class TargetTests
{
    // Parsers that no target drives, each with the reason why none is needed.
    private static readonly Dictionary<string, string> Exempt = [];

    private static readonly string[] Products =
    [
        "nodeagent", "aggregator", "NodeAgent.Contracts", "NodeAgent.Hosting", "NodeAgent.Journal", "NodeAgent.Rpc",
        "NodeAgent.Rpc.Server", "NodeAgent.Sampling", "NodeAgent.Tsdb",
    ];

    public static TheoryData<string> Names => [.. TargetCatalog.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_AFewHundredInputsOfOneSeed_Hold(string name)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nodeagent-fuzz-");
        using StringWriter lines = new();
        try
        {
            Fuzzer fuzzer = new(new FuzzBounds(1, TimeSpan.MaxValue, 400), new FailureReport(folder.FullName, lines), new SimulatedTime());
            Assert.True(fuzzer.RunAll([Target(name)]) == 0, lines.ToString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_SeedsAndInputsThatOnceFailed_Hold(string name)
    {
        IFuzzTarget target = Target(name);
        Assert.NotEmpty(target.Seeds);
        Assert.All(target.Seeds.Concat(Fixtures(name)), input => Assert.Null(Fuzzer.Try(target, input)));
    }

    [Fact]
    public void Fixtures_EachFolder_BelongsToATarget() =>
        Assert.All(FixtureFolders(), folder => Assert.Contains(TargetCatalog.All, target => target.Name == Path.GetFileName(folder)));

    [Fact]
    public void Catalog_EveryParserAndDecoderOfTheProduct_HasATargetOrAReason()
    {
        IEnumerable<string> parsers = Products.SelectMany(product => Assembly.Load(product).GetTypes())
            .Where(type => type.IsClass && (type.Name.EndsWith("Parser", StringComparison.Ordinal) || type.Name.EndsWith("Decoder", StringComparison.Ordinal)))
            .Select(type => type.FullName!);
        IEnumerable<string> covered = TargetCatalog.All.SelectMany(target => target.Covers).Select(type => type.FullName!);

        Assert.Empty(parsers.Except(covered).Except(Exempt.Keys).Order(StringComparer.Ordinal));
        Assert.Empty(Exempt.Keys.Except(parsers));
    }

    private static IFuzzTarget Target(string name) => TargetCatalog.All.Single(target => target.Name == name);

    private static IEnumerable<byte[]> Fixtures(string name) =>
        FixtureFolders().Where(folder => Path.GetFileName(folder) == name).SelectMany(Directory.GetFiles).Select(File.ReadAllBytes);

    private static string[] FixtureFolders() =>
        Directory.GetDirectories(Path.Combine(Repository.Root, "tests", "fixtures", "fuzz"));
}
