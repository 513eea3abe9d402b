namespace NodeAgent.Journal.Files;

/// <summary>Picks the implementation for this machine.</summary>
public static class FileOps
{
    /// <exception cref="PlatformNotSupportedException">Neither Linux nor Windows.</exception>
    public static IFileOps ForThisMachine()
    {
        if (OperatingSystem.IsLinux()) return new LinuxFileOps();
        if (OperatingSystem.IsWindows()) return new WindowsFileOps();
        throw new PlatformNotSupportedException("the journal knows the error numbers of Linux and Windows only");
    }
}
