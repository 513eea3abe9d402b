using System.Text;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>What is in each package. The one place that says which file goes where.</summary>
/// <param name="programs">The published programs.</param>
internal sealed class ProductPackages(Programs programs)
{
    private const string Units = "usr/lib/systemd/system";

    internal IReadOnlyList<Package> All => [Agent(), Aggregator(), Nodectl()];

    private static string Packaging(params string[] path) => Path.Combine([Repository.Root, "packaging", .. path]);

    private Package Agent() => new(
        "nodeagent",
        "samples a GPU host and streams its telemetry",
        [
            "The agent reads processors, memory, disks, network, control groups, sensors, the kernel log and NVIDIA GPUs once a second and streams them to an aggregator over mutual TLS. It keeps at least 72 hours on its own disk while the aggregator is away.",
            "It has no listening port and no privilege. Commands are carried out by a process of their own that starts on demand and obeys signatures and a local policy alone.",
        ],
        [
            Program("nodeagent", programs.Agent),
            .. Unit("nodeagent.service", "nodeagent.service.d/10-gpu.conf", "nodeagent.service.d/20-kernel-log.conf", "nodeagent-actuator.socket", "nodeagent-actuator.service"),
            .. Common("nodeagent"),
            PackageEntry.Of("etc/nodeagent/nodeagent.json", Packaging("config", "nodeagent.json"), isConfiguration: true),
            PackageEntry.Of("usr/share/doc/nodeagent/examples/nodeagent.example.json", Packaging("config", "nodeagent.example.json")),
            PackageEntry.Of("usr/share/doc/nodeagent/examples/30-clock.conf", Packaging("systemd", "examples", "30-clock.conf")),
            PackageEntry.Of("usr/libexec/nodeagent/slurm-healthcheck", Packaging("slurm", "slurm-healthcheck"), PackageEntry.Executable),
            Man("nodeagent.8"), Man("nodeagent.json.5"),
        ],
        HasService: true);

    private Package Aggregator() => new(
        "nodeagent-aggregator",
        "keeps and answers for the telemetry of a fleet of GPU hosts",
        [
            "The aggregator takes what agents send, keeps it in a time-series store of its own without a database to install, answers queries, finds what is wrong and says where jobs should go.",
            "Rules for Prometheus and dashboards for Grafana are in /usr/share/nodeagent-aggregator.",
        ],
        [
            Program("aggregator", programs.Aggregator),
            .. Unit("nodeagent-aggregator.service"),
            .. Common("nodeagent-aggregator"),
            PackageEntry.Of("etc/nodeagent/aggregator.json", Packaging("config", "aggregator.json"), isConfiguration: true),
            PackageEntry.Of("usr/share/doc/nodeagent-aggregator/examples/aggregator.example.json", Packaging("config", "aggregator.example.json")),
            .. Folder("prometheus"), .. Folder("grafana"),
            Man("aggregator.8"), Man("aggregator.json.5"),
        ],
        HasService: true);

    private Package Nodectl() => new(
        "nodectl",
        "asks a fleet of GPU hosts how it is, and tells it what to do",
        ["nodectl shows nodes, series, events and placements of a fleet, live or in JSON, makes the fleet's certificates, and finds out why something does not connect."],
        [
            Program("nodectl", programs.Nodectl),
            Man("nodectl.1"),
            Completion("usr/share/bash-completion/completions/nodectl", "bash"),
            Completion("usr/share/zsh/vendor-completions/_nodectl", "zsh"),
            Completion("usr/share/fish/vendor_completions.d/nodectl.fish", "fish"),
        ],
        HasService: false);

    private static PackageEntry Program(string name, string source) => PackageEntry.Of($"usr/bin/{name}", source, PackageEntry.Executable);

    private static IEnumerable<PackageEntry> Unit(params string[] names) => names.Select(name => PackageEntry.Of($"{Units}/{name}", Packaging(["systemd", .. name.Split('/')])));

    private static IEnumerable<PackageEntry> Common(string name) =>
    [
        PackageEntry.Of($"usr/lib/sysusers.d/{name}.conf", Packaging("sysusers", name + ".conf")),
        PackageEntry.Of($"usr/lib/tmpfiles.d/{name}.conf", Packaging("tmpfiles", name + ".conf")),
    ];

    private static IEnumerable<PackageEntry> Folder(string name) => !Directory.Exists(Packaging(name)) ? [] :
        Directory.EnumerateFiles(Packaging(name)).Where(file => !file.EndsWith(".test.yml", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(file => PackageEntry.Of($"usr/share/nodeagent-aggregator/{name}/{Path.GetFileName(file)}", file));

    private static PackageEntry Man(string page) =>
        PackageEntry.Compressed($"usr/share/man/man{page[^1]}/{page}.gz", File.ReadAllBytes(Packaging("man", page)));

    private PackageEntry Completion(string path, string shell) => new(path, PackageEntry.Plain, Encoding.UTF8.GetBytes(programs.Completions[shell]));
}

/// <summary>The published programs.</summary>
/// <param name="Agent">Path of nodeagent.</param>
/// <param name="Aggregator">Path of aggregator.</param>
/// <param name="Nodectl">Path of nodectl.</param>
/// <param name="WindowsAgent">Path of nodeagent.exe; null: not published.</param>
/// <param name="Completions">nodectl's completion scripts by shell.</param>
internal sealed record Programs(string Agent, string Aggregator, string Nodectl, string? WindowsAgent, IReadOnlyDictionary<string, string> Completions);
