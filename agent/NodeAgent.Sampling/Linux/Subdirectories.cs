namespace NodeAgent.Sampling.Linux;

/// <summary>Directories of sysfs by a prefix: hugepages-2048kB, cpu0, node0. For start-up; allocates.</summary>
internal static class Subdirectories
{
    /// <summary>Their names in ordinal order; empty where the parent does not exist or may not be read.</summary>
    public static IReadOnlyList<string> Find(string parent, string prefix)
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories(parent, prefix + "*").Select(path => Path.GetFileName(path))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Their numbers, where what follows the prefix is one, in ascending order.</summary>
    public static IReadOnlyList<int> FindNumbered(string parent, string prefix) =>
    [
        .. Find(parent, prefix)
            .Select(name => int.TryParse(name.AsSpan(prefix.Length), out int number) ? number : -1)
            .Where(number => number >= 0)
            .Order(),
    ];
}
