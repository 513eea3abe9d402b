namespace NodeAgent.Ctl.Fleet;

/// <summary>A new file that only its owner can read, from its first byte on.</summary>
internal static class PrivateFile
{
    /// <exception cref="CtlException">It exists, or cannot be written.</exception>
    public static void Write(string path, string content)
    {
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using StreamWriter writer = new(new FileStream(path, options));
            writer.Write(content);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CtlException(ExitCode.Failure, $"cannot write {path}", failed.Message, "What was to be in it is lost; make a new one.");
        }
    }
}
