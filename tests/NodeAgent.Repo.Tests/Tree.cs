using System.Diagnostics;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Repo.Tests;

/// <summary>The files of the tree, as git would take them.</summary>
internal static class Tree
{
    private static readonly string[] Text = [".cs", ".md", ".proto", ".sh", ".ps1", ".csproj", ".props", ".json", ".js", ".py", ".txt", ".yml"];

    /// <summary>Paths relative to the root, tracked or about to be.</summary>
    internal static IReadOnlyList<string> Files { get; } = List();

    internal static IEnumerable<string> With(string extension) => Files.Where(path => path.EndsWith(extension, StringComparison.Ordinal));

    internal static IEnumerable<string> TextFiles => Files.Where(path => Text.Contains(Path.GetExtension(path)) || path.EndsWith("/run", StringComparison.Ordinal));

    internal static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    private static string[] List()
    {
        ProcessStartInfo start = new("git") { WorkingDirectory = Repository.Root, RedirectStandardOutput = true };
        foreach (string argument in new[] { "ls-files", "--cached", "--others", "--exclude-standard" })
        {
            start.ArgumentList.Add(argument);
        }

        using Process git = Process.Start(start) ?? throw new InvalidOperationException("git could not be started");
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        string[] files = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Path.Combine(Repository.Root, path))).Distinct()];
        return files.Length > 0 ? files : throw new InvalidOperationException("git lists no files; these tests run in a checkout");
    }
}
