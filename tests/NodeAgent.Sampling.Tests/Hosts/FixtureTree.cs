namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>
/// A tree of small files in one text: sysfs is full of links and of names with colons, which not every checkout can hold, and a
/// server has a thousand attributes. Sections are <c>-- path --</c> followed by the content, or <c>-- path -> target --</c>
/// for a link; <c>-- path !refused --</c> is a file that opens and then refuses to be read. Lines before the first section and
/// lines that start with "#" right after a section's heading are comments.
/// </summary>
internal static class FixtureTree
{
    private const string Start = "-- ";
    private const string End = " --";

    /// <summary>Writes the tree below a directory.</summary>
    /// <exception cref="FormatException">A path leaves the directory.</exception>
    public static void Unpack(string text, string directory)
    {
        string? file = null;
        List<string> content = [];
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith(Start, StringComparison.Ordinal) || !line.EndsWith(End, StringComparison.Ordinal))
            {
                content.Add(line);
                continue;
            }

            Write(file, content);
            content.Clear();
            file = Begin(line[Start.Length..^End.Length], directory);
        }

        if (content is [.., ""])
        {
            content.RemoveAt(content.Count - 1);
        }

        Write(file, content);
    }

    private static string? Begin(string heading, string directory)
    {
        string[] link = heading.Split(" -> ");
        bool isRefused = heading.EndsWith(" !refused", StringComparison.Ordinal);
        string path = Path.GetFullPath(isRefused ? heading[..^" !refused".Length] : link[0], directory);
        if (!path.StartsWith(directory + "/", StringComparison.Ordinal))
        {
            throw new FormatException($"{heading} leaves the fixture's directory");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (link.Length == 2)
        {
            File.CreateSymbolicLink(path, link[1]);
            return null;
        }

        if (isRefused)
        {
            File.CreateSymbolicLink(path, "/proc/self/mem"); // opens, and answers EIO at offset 0
            return null;
        }

        return path;
    }

    private static void Write(string? file, List<string> content)
    {
        if (file is not null)
        {
            File.WriteAllText(file, string.Join('\n', content) + (content.Count > 0 ? "\n" : ""));
        }
    }
}
