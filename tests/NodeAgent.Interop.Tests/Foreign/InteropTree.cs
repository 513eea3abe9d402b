namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>Where the foreign programs lie: tests/interop of the tree that this assembly was built in.</summary>
internal static class InteropTree
{
    internal static string Root { get; } = Find();

    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "NodeAgent.sln")))
            {
                return Path.Combine(directory.FullName, "tests", "interop");
            }
        }

        throw new InvalidOperationException($"No NodeAgent.sln above {AppContext.BaseDirectory}: these tests run from the tree's own artifacts folder.");
    }
}
