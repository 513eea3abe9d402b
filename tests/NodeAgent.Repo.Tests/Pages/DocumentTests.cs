using System.Text.RegularExpressions;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>Documents name files, verbs and options that exist.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] Verbs = ["up", "test", "e2e", "bench", "fuzz", "pack", "docs"];

    public static TheoryData<string> Pages => [.. Tree.With(".md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_Links_LeadToFiles(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        foreach (Match link in Link().Matches(Tree.Read(page)))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
            {
                Assert.True(Path.Exists(Path.Combine(folder, target)), $"{page} links to {target}, which does not exist");
            }
        }
    }

    [Fact]
    public void Code_NamesOfPages_Exist()
    {
        foreach (string source in Tree.With(".cs").Concat(Tree.With(".proto")))
        {
            foreach (Match name in PageName().Matches(Tree.Read(source)))
            {
                Assert.True(Path.Exists(Path.Combine(Repository.Root, name.Value)), $"{source} names {name.Value}, which does not exist");
            }
        }
    }

    [Fact]
    public void Readme_BuildCommands_AreVerbs()
    {
        MatchCollection commands = BuildCommand().Matches(Tree.Read("README.md"));

        Assert.NotEmpty(commands);
        Assert.All(commands, command => Assert.Contains(command.Groups[1].Value, Verbs));
    }

    [Fact]
    public void BuildScripts_Verbs_AreTheSame() =>
        Assert.All(new[] { "build.sh", "build.ps1" }, script => Assert.Contains("up | test | e2e | bench | fuzz | pack | docs", Tree.Read(script)));

    [Fact]
    public void Tree_NamesNoMachineAndNoRegistry()
    {
        // Split, so that this file does not name what it forbids.
        string[] forbidden = ["/wo" + "rk/", "nuget" + ".org", "registry.np" + "mjs"];
        foreach (string path in Tree.TextFiles.Where(path => !path.StartsWith("tests/fixtures/", StringComparison.Ordinal)))
        {
            string text = Tree.Read(path);
            Assert.All(forbidden, name => Assert.False(text.Contains(name, StringComparison.Ordinal), $"{path} names {name}"));
        }
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\bdocs/[a-z0-9/_-]+\.md\b")]
    private static partial Regex PageName();

    [GeneratedRegex(@"\./build\.sh ([a-z0-9]+)")]
    private static partial Regex BuildCommand();
}
