using System.Text.RegularExpressions;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>The page of promises names each case of the fault list once, and only tests that exist.</summary>
public sealed partial class ReliabilityPageTests
{
    private const string Page = "docs/reliability.md";

    [Fact]
    public void FaultList_EveryCase_HasOneRow()
    {
        IEnumerable<string> expected = new[] { ("N", 17), ("S", 15), ("D", 13), ("P", 13), ("C", 5), ("G", 8), ("A", 5), ("U", 1) }
            .SelectMany(family => Enumerable.Range(1, family.Item2).Select(number => $"{family.Item1}{number}"));

        Assert.Equal(expected, Row().Matches(Tree.Read(Page)).Select(row => row.Groups[1].Value));
    }

    [Fact]
    public void Tests_Named_Exist()
    {
        MatchCollection named = TestName().Matches(Tree.Read(Page));
        string[] sources = [.. Tree.With("Tests.cs").Where(path => path.StartsWith("tests/", StringComparison.Ordinal))];

        Assert.NotEmpty(named);
        foreach (Match name in named)
        {
            string file = name.Groups[1].Value + ".cs";
            Assert.True(
                sources.Any(path => Path.GetFileName(path) == file && Tree.Read(path).Contains($" {name.Groups[2].Value}(", StringComparison.Ordinal)),
                $"{Page} names {name.Value}, which does not exist");
        }
    }

    [Fact]
    public void RealFaults_EachTest_IsOnThePage()
    {
        string page = Tree.Read(Page);
        foreach (string source in Tree.With("FaultTests.cs"))
        {
            foreach (Match test in FaultTest().Matches(Tree.Read(source)))
            {
                string name = $"{Path.GetFileNameWithoutExtension(source)}.{test.Groups[2].Value}";
                Assert.True(page.Contains($"`{name}`", StringComparison.Ordinal), $"{Page} does not name {name}");
                Assert.Equal(test.Groups[1].Value, test.Groups[2].Value.Split('_')[0]);
            }
        }
    }

    [GeneratedRegex(@"^\| ([NSDPCGAU]\d+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestName();

    // The trait that --faults selects by, and the method below it.
    [GeneratedRegex(@"\[Trait\(""fault"", ""(\w+)""\)\](?:\s*\[[^\n]*\][^\n]*)*\s*public async Task (\w+)\(")]
    private static partial Regex FaultTest();
}
