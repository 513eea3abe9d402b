using System.Diagnostics.CodeAnalysis;
using NodeAgent.V1;
using static NodeAgent.Commands.Catalogue.ParameterDescription;
using Action = NodeAgent.V1.Command.ActionOneofCase;

namespace NodeAgent.Commands.Catalogue;

/// <summary>
/// All commands there are. A new one: its message in command.proto, its row here, its actuator. A test fails on an action without a row
/// and on a row without an actuator.
/// </summary>
public static partial class CommandCatalogue
{
    private static readonly CommandDescription[] Rows = [.. HostRows(), .. GpuRows()];

    private static readonly Dictionary<Action, CommandDescription> ByAction = Rows.ToDictionary(row => row.Action);

    private static readonly Dictionary<string, CommandDescription> ByName = Rows.ToDictionary(row => row.Name, StringComparer.Ordinal);

    public static IReadOnlyList<CommandDescription> All => Rows;

    public static bool TryFind(Action action, [NotNullWhen(true)] out CommandDescription? description) => ByAction.TryGetValue(action, out description);

    public static bool TryFind(string name, [NotNullWhen(true)] out CommandDescription? description) => ByName.TryGetValue(name, out description);

    // Not fields: the order in which fields of two files are initialised is nobody's.
    private static PreconditionDescription SlurmAnswers => new("slurm-answers", "scontrol is there and slurmctld answers");
    private static PreconditionDescription SlurmKnows => new("node-known", "Slurm has a node of this name");

    private static CommandDescription[] HostRows() =>
    [
        new()
        {
            Action = Action.NoOp, Name = "no_op", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(5),
            Summary = "Changes nothing and goes the whole way: for trying keys and policy, and for measuring.",
            Verification = "there is nothing to read back",
        },
        new()
        {
            Action = Action.Diagnose, Name = "diagnose", Risk = RiskClass.R0, Deadline = TimeSpan.FromMinutes(2),
            Summary = "Runs a diagnostic that the node's policy defines and returns what it printed, at most 64 KiB.",
            Parameters = [Text("name", "a diagnostic of the local policy", c => c.Diagnose.Name)],
            Preconditions = [new("diagnostic-defined", "the local policy defines it"), new("program-safe", "its program belongs to root and nobody else may write it")],
            Verification = "the program's exit code is 0",
        },
        new()
        {
            Action = Action.LogBundle, Name = "log_bundle", Risk = RiskClass.R0, Deadline = TimeSpan.FromMinutes(10),
            Summary = "Packs the logs that the node's policy lists, secrets taken out, into one file on the node.",
            Parameters =
            [
                Text("name", "a bundle of the local policy", c => c.LogBundle.Name),
                Number("max_bytes", "bytes", 0, 1L << 32, "before packing; 0: the policy's", c => Clamp(c.LogBundle.MaxBytes)),
            ],
            Preconditions = [new("bundle-defined", "the local policy defines it"), new("room", "the disk has twice the size free")],
            Verification = "the file can be read back and its length is right",
        },
        new()
        {
            Action = Action.ProcessKill, Name = "process_kill", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(90),
            Summary = "Ends one process: SIGTERM, a while of grace, SIGKILL.",
            Parameters =
            [
                Number("pid", "", 2, 1 << 22, "the process", c => c.ProcessKill.Pid),
                Number("start_time_ticks", "ticks", 1, long.MaxValue, "field 22 of /proc/PID/stat", c => Clamp(c.ProcessKill.StartTimeTicks)),
                Number("grace_ms", "ms", 0, 60_000, "between SIGTERM and SIGKILL; 0: SIGKILL at once", c => c.ProcessKill.GraceMs),
                Number("uid", "", 0, uint.MaxValue, "its user; a process of another one is not ended", c => c.ProcessKill.Uid),
            ],
            Preconditions =
            [
                new("process-exists", "a process has the pid"), new("start-time-matches", "it is the process that was meant, not a later one with its pid"),
                new("owner-matches", "it belongs to the user"), new("not-protected", "not a kernel thread, not process 1, not of this agent"),
            ],
            Verification = "no process with pid and start time is left, but for a zombie that its parent has not looked at",
        },
        new()
        {
            Action = Action.CgroupLimit, Name = "cgroup_limit", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(60),
            Summary = "Limits CPU, memory and disk of one cgroup, v1 or v2.",
            Parameters =
            [
                Text("path", "below the cgroup root", c => c.CgroupLimit.Path, mustBeListed: true),
                Number("cpu_millicores", "1/1000 core", 0, 1_000_000, "0: as it is", c => c.CgroupLimit.CpuMillicores),
                Number("memory_high_bytes", "bytes", 0, long.MaxValue, "reclaims; 0: as it is", c => Clamp(c.CgroupLimit.MemoryHighBytes)),
                Number("memory_max_bytes", "bytes", 0, long.MaxValue, "ends processes; 0: as it is", c => Clamp(c.CgroupLimit.MemoryMaxBytes)),
                Text("io_device", "MAJOR:MINOR", c => c.CgroupLimit.IoDevice, mayBeEmpty: true),
                Number("io_read_bytes_per_second", "bytes/s", 0, long.MaxValue, "0: as it is", c => Clamp(c.CgroupLimit.IoReadBytesPerSecond)),
                Number("io_write_bytes_per_second", "bytes/s", 0, long.MaxValue, "0: as it is", c => Clamp(c.CgroupLimit.IoWriteBytesPerSecond)),
            ],
            Preconditions =
            [
                new("path-inside", "the path stays below the root, without a link out of it"), new("cgroup-exists", "the cgroup is there"),
                new("controllers-present", "what is to be limited can be limited there"), new("something-asked", "at least one limit is given"),
                new("memory-order", "memory_high is not above memory_max"), new("memory-fits", "less than memory_max is in use, or memory_high is given to get there"),
            ],
            Verification = "every limit reads as written (rounded as the kernel does), and no more memory is in use than memory_max",
            Undo = "the values from before",
        },
        new()
        {
            Action = Action.CpuGovernor, Name = "cpu_governor", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(10),
            Summary = "Sets the frequency governor of all CPUs.",
            Parameters = [Text("governor", "one of scaling_available_governors", c => c.CpuGovernor.Governor)],
            Preconditions = [new("cpufreq-present", "CPUs have governors"), new("governor-available", "all of them offer this one")],
            Verification = "every CPU's scaling_governor reads back",
            Undo = "each CPU's governor from before",
        },
        new()
        {
            Action = Action.ServiceRestart, Name = "service_restart", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(120),
            Summary = "Restarts one systemd unit.",
            Parameters = [Text("unit", "with its suffix", c => c.ServiceRestart.Unit, mustBeListed: true)],
            Preconditions = [new("systemd-runs", "systemctl answers"), new("unit-loaded", "the unit is loaded and not masked")],
            Verification = "the unit is active under another invocation id than before",
        },
        new()
        {
            Action = Action.NetworkRateLimit, Name = "network_rate_limit", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Limits the sending rate of one interface.",
            Parameters =
            [
                Text("interface", "its name", c => c.NetworkRateLimit.Interface, mustBeListed: true),
                Number("bits_per_second", "bit/s", 64_000, 800_000_000_000, "sending", c => Clamp(c.NetworkRateLimit.BitsPerSecond)),
            ],
            Preconditions =
            [
                new("interface-exists", "the interface is there"), new("root-free", "nobody else shapes it"),
                new("not-cut-off", "not the management interface, or for at most ten minutes and not below 1 Mbit/s"),
            ],
            Verification = "the queueing discipline reads back with this rate",
            Undo = "the queueing discipline is deleted",
        },
        new()
        {
            Action = Action.SlurmDrain, Name = "slurm_drain", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(60),
            Summary = "Has Slurm start no new job on this node; what runs goes on.",
            Parameters = [Text("node", "Slurm's name of it", c => c.SlurmDrain.Node, mustBeListed: true)],
            Preconditions = [SlurmAnswers, SlurmKnows, new("not-drained", "nobody has drained it: another's reason is not overwritten")],
            Verification = "Slurm shows the node as draining or drained, with this command's reason",
            Undo = "resumed, if the reason is still this command's",
        },
        new()
        {
            Action = Action.SlurmResume, Name = "slurm_resume", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(60),
            Summary = "Gives a node back to Slurm that a command drained.",
            Parameters = [Text("node", "Slurm's name of it", c => c.SlurmResume.Node, mustBeListed: true)],
            Preconditions = [SlurmAnswers, SlurmKnows, new("drained-by-us", "it is drained, and the reason begins with nodeagent:")],
            Verification = "Slurm no longer shows the node as draining or drained",
        },
        new()
        {
            Action = Action.Reboot, Name = "reboot", Risk = RiskClass.R3, Deadline = TimeSpan.FromMinutes(5),
            Summary = "Restarts the node.",
            Parameters = [Number("even_if_busy", "", 0, 1, "1: also when not drained", c => c.Reboot.EvenIfBusy ? 1 : 0)],
            Preconditions =
            [
                new("boot-id-known", "the kernel says which boot this is"), new("no-crash-dump", "no kernel dump is being saved"),
                new("system-running", "systemd answers, and no other shutdown is under way"), new("drained", "nobody works here, or even_if_busy is set"),
            ],
            Verification = "the next start has another boot id",
        },
    ];

    private static long Clamp(ulong value) => value > long.MaxValue ? -1 : (long)value;
}
