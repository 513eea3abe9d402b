using System.Globalization;
using NodeAgent.Actuation.Host;

namespace NodeAgent.Agent.Actuator;

/// <summary>Who has a GPU open, by the kernel's word: /proc/PID/fd.</summary>
internal static class GpuHolders
{
    private const string Device = "/dev/nvidia";

    /// <summary>One sentence that names a process; null: nobody has a GPU open.</summary>
    /// <param name="paths">Where /proc is.</param>
    /// <param name="except">A program that lets go by itself.</param>
    internal static string? Describe(HostPaths paths, string except)
    {
        foreach (string process in Directory.EnumerateDirectories(paths.Proc))
        {
            if (!int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out int pid)) continue;
            try
            {
                if (!Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(file => IsGpu(new FileInfo(file).LinkTarget))) continue;
                string name = File.ReadAllText(Path.Combine(process, "comm")).Trim();
                if (name != except) return $"process {pid} ({name}) has a GPU open";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while it was looked at: then it holds nothing.
                continue;
            }
        }

        return null;
    }

    // nvidia0, nvidia1, ...; nvidiactl and nvidia-uvm are open also where nobody computes.
    private static bool IsGpu(string? target) =>
        target is not null && target.StartsWith(Device, StringComparison.Ordinal) && target.Length > Device.Length && char.IsAsciiDigit(target[Device.Length]);
}
