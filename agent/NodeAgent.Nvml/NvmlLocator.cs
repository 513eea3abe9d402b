using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Nvml;

/// <summary>
/// Where the library is. Whoever can put a file where we load from runs code in an agent that may be root, so there is no search path and
/// no environment variable: absolute paths only, of files and folders that nobody but root, or who runs us, can write.
/// </summary>
public static class NvmlLocator
{
    // Debian, Red Hat, SUSE, the GPU operator's driver container, GKE, NixOS, WSL.
    private static readonly string[] LinuxPaths =
    [
        "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
        "/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
        "/usr/lib64/libnvidia-ml.so.1",
        "/usr/lib/libnvidia-ml.so.1",
        "/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
        "/run/nvidia/driver/usr/lib64/libnvidia-ml.so.1",
        "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
        "/run/opengl-driver/lib/libnvidia-ml.so.1",
        "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    ];

    /// <summary>The library's absolute path, or null and why there is none.</summary>
    /// <param name="configured">From the configuration; null: the usual places.</param>
    /// <param name="problem">One sentence.</param>
    public static string? Find(string? configured, out string problem)
    {
        problem = "";
        if (configured is not null)
        {
            return File.Exists(configured) ? Trusted(configured, out problem) : Missing($"{configured} does not exist", out problem);
        }

        foreach (string path in OperatingSystem.IsWindows() ? WindowsPaths(Environment.SystemDirectory, Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles)) : LinuxPaths)
        {
            if (File.Exists(path))
            {
                return Trusted(path, out problem);
            }
        }

        return Missing(OperatingSystem.IsWindows() ? "nvml.dll is in none of its places" : "libnvidia-ml.so.1 is in none of its places", out problem);
    }

    /// <summary>Drivers since 2020 put it into System32, older ones beside nvidia-smi.</summary>
    internal static IReadOnlyList<string> WindowsPaths(string systemFolder, string programFiles) =>
        [Path.Combine(systemFolder, "nvml.dll"), Path.Combine(programFiles, "NVIDIA Corporation", "NVSMI", "nvml.dll")];

    /// <summary>Whether a Unix file may be loaded, from what lstat said of it and its folder.</summary>
    internal static bool IsTrusted(uint owner, UnixFileMode mode, uint self) =>
        (owner == 0 || owner == self) && (mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0;

    private static string? Missing(string why, out string problem)
    {
        problem = why;
        return null;
    }

    private static string? Trusted(string path, out string problem)
    {
        problem = "";
        if (!Path.IsPathRooted(path))
        {
            return Missing($"{path} is not absolute", out problem);
        }

        if (OperatingSystem.IsWindows())
        {
            return path; // System32 and Program Files are writable by administrators only, who are what the service runs as
        }

        // The link leads to the versioned file of the driver; both have to be out of others' reach.
        string real = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        foreach (string part in new[] { real, Path.GetDirectoryName(real)!, Path.GetDirectoryName(path)! })
        {
            if (!UnixOwner.IsOutOfOthersReach(part))
            {
                return Missing($"{part} can be written by others than root and this user, so {path} is not loaded", out problem);
            }
        }

        return path;
    }
}
