using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Agent.Gpu;

/// <summary>Whether GPUs are read.</summary>
internal enum GpuUse
{
    /// <summary>Where there are any.</summary>
    Automatic,

    /// <summary>Even where none is seen now.</summary>
    Always,

    Never,
}

/// <summary>How GPUs are read.</summary>
internal sealed class GpuSettings
{
    internal GpuUse Enabled { get; set; } = GpuUse.Automatic;

    internal string? Library { get; set; }

    internal TimeSpan CallDeadline { get; set; } = TimeSpan.FromSeconds(10);

    internal string? XidPolicy { get; set; }

    internal string? ReleaseDirectory { get; set; }

    /// <param name="runtimeDirectory">RUNTIME_DIRECTORY, which systemd sets for units with RuntimeDirectory=; several are separated by colons.</param>
    internal string ResolveReleaseDirectory(string? runtimeDirectory)
    {
        if (ReleaseDirectory is not null)
        {
            return ReleaseDirectory;
        }

        string runtime = !string.IsNullOrEmpty(runtimeDirectory) ? runtimeDirectory.Split(':')[0]
            : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "NodeAgent")
            : "/run/nodeagent";
        return Path.Combine(runtime, "gpu");
    }

    internal static SettingCatalog<GpuSettings> Settings { get; } = SettingCatalog.Define<GpuSettings>(s => s
        .Choice("enabled", o => o.Enabled, (o, v) => o.Enabled = v,
            "automatic: where an NVIDIA GPU is on PCI or its library is installed. always: also where neither is, for a driver that comes later. never: not.")
        .OptionalFilePath("library", o => o.Library, (o, v) => o.Library = v,
            "NVML's file; nobody but root and the agent's user may be able to write it. Null: where drivers install it.", example: "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1")
        .Duration("call_deadline", o => o.CallDeadline, (o, v) => o.CallDeadline = v, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5),
            "How long one call into the driver may take before its process is left behind and the GPU left out. Slow is not stuck: a sick GPU can take seconds.")
        .OptionalFilePath("xid_policy", o => o.XidPolicy, (o, v) => o.XidPolicy = v,
            "JSON file with this site's own actions and severities for XIDs, over the built-in catalogue: {\"xids\": {\"63\": {\"action\": \"ignore\", \"severity\": \"info\"}}}.",
            example: "/etc/nodeagent/xids.json")
        .OptionalFilePath("release_directory", o => o.ReleaseDirectory, (o, v) => o.ReleaseDirectory = v,
            "Directory of the files release (GPUs that the agent shall let go of) and released (those it has). Null: gpu in the runtime directory that systemd gives, else /run/nodeagent/gpu.",
            example: "/run/nodeagent/gpu"));
}
