namespace NodeAgent.Agent.Spool;

/// <summary>Looks at the spool's directory before anything is written there: what others can replace or write is refused.</summary>
internal static class SpoolDirectory
{
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>A reason not to use the directory, in a sentence; null when it is missing or as it should be.</summary>
    internal static string? Inspect(string directory)
    {
        try
        {
            foreach (string part in (ReadOnlySpan<string>)["", "state", "full", "10s", "60s"])
            {
                string path = Path.Combine(directory, part);
                if (InspectOne(path.TrimEnd(Path.DirectorySeparatorChar)) is { } objection)
                {
                    return objection;
                }
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"spool {directory} cannot be looked at: {e.Message}";
        }
    }

    private static string? InspectOne(string path)
    {
        FileInfo info = new(path);
        if (info.LinkTarget is { } target)
        {
            return $"{path} is a symbolic link to {target}; the spool follows none, because whoever can plant one could choose the file that is written";
        }

        if (File.Exists(path))
        {
            return $"{path} is a file where the spool wants a directory";
        }

        if (OperatingSystem.IsWindows() || !Directory.Exists(path))
        {
            return null;
        }

        UnixFileMode mode = File.GetUnixFileMode(path);
        return (mode & WritableByOthers) == 0 ? null
            : $"{path} can be written by others (mode {Convert.ToString((int)mode, 8)}); it must belong to the agent's user alone: chmod go-w {path}";
    }
}
