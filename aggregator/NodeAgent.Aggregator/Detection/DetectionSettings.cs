using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What people may set of detection.</summary>
internal sealed class DetectionSettings
{
    internal bool Enabled { get; set; } = true;

    internal double AlarmsPerSeriesDay { get; set; } = 0.01;

    internal TimeSpan LearnFor { get; set; } = TimeSpan.FromHours(1);

    internal long MaxMemoryBytes { get; set; } = 1L << 30;

    internal long QueueBytes { get; set; } = 64L << 20;

    internal string JobLabel { get; set; } = "job";

    internal string DomainLabel { get; set; } = "rack";

    internal string? XidPolicyFile { get; set; }

    internal static SettingCatalog<DetectionSettings> Settings { get; } = SettingCatalog.Define<DetectionSettings>(s => s
        .Bool("enabled", o => o.Enabled, (o, v) => o.Enabled = v,
            "Watch over what comes in: rules, detectors, peers, incidents. Off: `nodectl incidents` has nothing to say.")
        .Number("alarms_per_series_day", o => o.AlarmsPerSeriesDay, (o, v) => o.AlarmsPerSeriesDay = v, 0.0001, 10,
            "How often a healthy series may look wrong by chance: the one knob of the score lanes. One such alarm opens nothing; several of one node at once do.")
        .Duration("learn_for", o => o.LearnFor, (o, v) => o.LearnFor = v, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30),
            "A series is watched so long before its score lanes may speak. Rules, events and peers need no learning.")
        .Bytes("max_memory", o => o.MaxMemoryBytes, (o, v) => o.MaxMemoryBytes = v, 4L << 20, 1L << 40,
            "Memory for the state of series, about 1.1 KiB each and made as it is needed. Series beyond it are not scored and are counted; rules see them all the same.")
        .Bytes("queue_bytes", o => o.QueueBytes, (o, v) => o.QueueBytes = v, 1L << 20, 1L << 34,
            "Rows that wait for the detection thread. When they are more than a quarter of it, score lanes are left out, then peers; when it is full, rows are.")
        .Text("job_label", o => o.JobLabel, (o, v) => o.JobLabel = v,
            "Label of GPU series that names the job which runs there, where something sets one. Without it, placement's books say.", allowEmpty: true, maxLength: 128)
        .Text("domain_label", o => o.DomainLabel, (o, v) => o.DomainLabel = v,
            "Label that names what nodes share: rack, leaf switch, power feed. Nodes of one that fall silent together are one incident.", allowEmpty: true, maxLength: 128)
        .OptionalFilePath("xid_policy_file", o => o.XidPolicyFile, (o, v) => o.XidPolicyFile = v,
            "This site's own rules about XIDs, in the form of the agent's gpu.xid_policy.", example: "/etc/nodeagent/xid-policy.json"));
}
