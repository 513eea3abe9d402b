namespace NodeAgent.Sampling.Linux;

/// <summary>Directories of sysfs that are numbered: cpu0, cpu1, node0. For start-up; allocates.</summary>
internal static class NumberedDirectories
{
    /// <summary>Numbers in ascending order; empty where the parent does not exist or may not be read.</summary>
    public static IReadOnlyList<int> Find(string parent, string prefix)
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories(parent, prefix + "*")
                    .Select(path => int.TryParse(Path.GetFileName(path).AsSpan(prefix.Length), out int number) ? number : -1)
                    .Where(number => number >= 0)
                    .Order(),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
