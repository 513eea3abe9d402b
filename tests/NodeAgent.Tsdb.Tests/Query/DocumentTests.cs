using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Tests.Query;

public sealed class DocumentTests
{
    [Fact]
    public void QueryMd_Examples_AllParse()
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryRoot(), "docs", "query.md"));
        string[] examples = [.. lines.SkipWhile(line => line != "```").Skip(1).TakeWhile(line => line != "```")];
        Assert.NotEmpty(examples);
        Assert.All(examples, example => QueryParser.ParseExpression(example.Split("  ", 2)[0]));
    }

    [Fact]
    public void QueryMd_Limits_AreTheDefaults()
    {
        string text = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "query.md"));
        QueryLimits limits = new();
        Assert.Contains($"| series matched | {limits.MaxSeries:N0} |", text, StringComparison.Ordinal);
        Assert.Contains($"| samples read | {limits.MaxSamples / 1_000_000} million |", text, StringComparison.Ordinal);
        Assert.Contains($"| steps of a range | {limits.MaxSteps:N0} |", text, StringComparison.Ordinal);
        Assert.Contains($"the series at hand) | {limits.MaxMemoryBytes >> 20} MiB |", text, StringComparison.Ordinal);
        Assert.Contains($"| {limits.MaxTime.TotalSeconds:0} s |", text, StringComparison.Ordinal);
        Assert.Contains($"| {limits.MaxConcurrentPerCaller} and {limits.MaxConcurrent} |", text, StringComparison.Ordinal);
        Assert.Contains($"at most {4_096:N0} characters", text, StringComparison.Ordinal);
    }

    private static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NodeAgent.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("NodeAgent.sln is in no folder above the test.");
    }
}
