using NodeAgent.Agent.Spool;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Agent.Configuration;

/// <summary>Where the spool is, and its bounds.</summary>
internal sealed class SpoolSettings
{
    internal string? Directory { get; set; }

    internal long MaxBytes { get; set; } = 512L << 20;

    internal long Memory { get; set; } = 8L << 20;

    internal TimeSpan SyncInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The directory that is meant when none is written: the service manager's, or the system's usual one.</summary>
    /// <param name="stateDirectory">STATE_DIRECTORY, which systemd sets for units with StateDirectory=; several are separated by colons.</param>
    internal string ResolveDirectory(string? stateDirectory)
    {
        if (Directory is not null)
        {
            return Directory;
        }

        string state = !string.IsNullOrEmpty(stateDirectory) ? stateDirectory.Split(':')[0]
            : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "NodeAgent")
            : "/var/lib/nodeagent";
        return Path.Combine(state, "spool");
    }

    internal static SettingCatalog<SpoolSettings> Settings { get; } = SettingCatalog.Define<SpoolSettings>(s => s
        .OptionalFilePath("directory", o => o.Directory, (o, v) => o.Directory = v,
            "Directory of the spool alone. Null: spool in the state directory that systemd gives, else /var/lib/nodeagent/spool.",
            example: "/var/lib/nodeagent/spool")
        .Bytes("max_bytes", o => o.MaxBytes, (o, v) => o.MaxBytes = v, SpoolPlan.LeastBytes, 1L << 40,
            "Disk for records that the aggregator has not acknowledged. Towards the limit the oldest are thinned out (last, minimum, maximum "
            + "and average of 10 s, then of 60 s), then dropped; both are counted. The default holds more than 72 hours of a 400-series host at 1 s.")
        .Bytes("memory", o => o.Memory, (o, v) => o.Memory = v, 256L << 10, 1L << 30,
            "Memory for records while the disk takes none; when it is full the oldest are dropped and counted.")
        .Duration("sync_interval", o => o.SyncInterval, (o, v) => o.SyncInterval = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(60),
            "A power cut costs at most the records of this time; they are sent when they are synced, so it also delays them."));
}
