using System.Globalization;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Limits of a cgroup, in the tree of version 2 or the trees of version 1.</summary>
public sealed class CgroupLimitActuator(HostPaths paths) : IActuator
{
    private const string MemoryMax = "memory max";
    private static readonly string[] Controllers = ["cpu", "memory", "blkio"]; // of version 1, a tree each
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // Reclaim brings it down or it does not; a limit that ends processes is never the way to find out.
    private const int MaxWaits = 200;

    public Command.ActionOneofCase Action => Command.ActionOneofCase.CgroupLimit;

    private bool IsVersion2 => File.Exists(Path.Combine(paths.CgroupRoot, "cgroup.controllers"));

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        CgroupLimit wanted = command.CgroupLimit;
        string? outside = PathProblem(wanted.Path);
        if (outside is not null) return new([new Precondition("path-inside", false, outside)]);

        List<CgroupKnob> knobs = KnobsOf(wanted);
        string[] absent = [.. knobs.Where(knob => knob.Read() is null).Select(knob => knob.Name)];
        long? used = Used(wanted.Path);
        bool ordered = wanted.MemoryHighBytes == 0 || wanted.MemoryMaxBytes == 0 || wanted.MemoryHighBytes <= wanted.MemoryMaxBytes;
        bool fits = wanted.MemoryMaxBytes == 0 || wanted.MemoryHighBytes > 0 || (used is { } bytes && (ulong)bytes <= wanted.MemoryMaxBytes);
        List<Precondition> conditions =
        [
            new("path-inside", true, wanted.Path),
            new("cgroup-exists", Exists(wanted.Path), $"version {(IsVersion2 ? 2 : 1)}"),
            new("controllers-present", absent.Length == 0, absent.Length == 0 ? "all files are there" : $"cannot be read: {string.Join(", ", absent)}"),
            new("something-asked", knobs.Count > 0 && IoIsComplete(wanted), knobs.Count == 0 ? "no limit is given" : IoIsComplete(wanted) ? $"{knobs.Count} limits" : "io limits and io_device belong together"),
            new("memory-order", ordered, $"high {wanted.MemoryHighBytes}, max {wanted.MemoryMaxBytes}"),
            new("memory-fits", fits, $"{used?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} bytes are in use"),
        ];
        return new(conditions, conditions.All(condition => condition.Passed) ? UndoOf(wanted.Path, knobs) : null);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        List<CgroupKnob> knobs = KnobsOf(command.CgroupLimit);
        foreach (CgroupKnob knob in knobs)
        {
            if (knob.Name == MemoryMax && WaitForRoom(command.CgroupLimit, deadline) is { } problem) return StepResult.Bad(problem);
            if (KernelFile.TryWrite(knob.File, knob.Wanted) is { } refused) return StepResult.Bad(refused);
        }

        return StepResult.Good($"{knobs.Count} limits written");
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        List<CgroupKnob> knobs = KnobsOf(command.CgroupLimit);
        foreach (CgroupKnob knob in knobs)
        {
            if (!CgroupKnob.Matches(knob.Wanted, knob.Read())) return StepResult.Bad($"{knob.Name} reads {knob.Read() ?? "nothing"}, not {knob.Wanted}");
        }

        ulong max = command.CgroupLimit.MemoryMaxBytes;
        return max > 0 && Used(command.CgroupLimit.Path) is { } used && (ulong)used > max
            ? StepResult.Bad($"{used} bytes are in use, more than {max}")
            : StepResult.Good($"{knobs.Count} limits read back");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        string path = plan.Target["cgroup".Length..];
        if (PathProblem(path) is not null || !Exists(path)) return StepResult.Good("the cgroup is gone, and its limits with it");

        // The other way round: the limit that ends processes goes first.
        foreach (UndoStep step in plan.Steps.Reverse())
        {
            CgroupKnob knob = KnobOf(path, step.Key, step.Value);
            if (KernelFile.TryWrite(knob.File, step.Value) is { } refused) return StepResult.Bad(refused);
            if (!CgroupKnob.Matches(step.Value, knob.Read())) return StepResult.Bad($"{step.Key} reads {knob.Read() ?? "nothing"}, not {step.Value}");
        }

        return StepResult.Good($"{plan.Steps.Count} limits are as before");
    }

    private static bool IoIsComplete(CgroupLimit wanted) =>
        wanted.IoDevice.Length == 0 == (wanted.IoReadBytesPerSecond == 0 && wanted.IoWriteBytesPerSecond == 0);

    private static UndoPlan UndoOf(string path, List<CgroupKnob> knobs)
    {
        UndoPlan undo = new() { Target = $"cgroup{path}" };
        undo.Steps.AddRange(knobs.Select(knob => new UndoStep { Key = knob.Device.Length > 0 ? $"{knob.Name} {knob.Device}" : knob.Name, Value = knob.Read()! }));
        return undo;
    }

    // In the order in which they are written: memory high before max.
    private List<CgroupKnob> KnobsOf(CgroupLimit wanted)
    {
        List<CgroupKnob> knobs = [];
        void Add(string name, ulong value, string device = "")
        {
            if (value == 0) return;
            string key = device.Length > 0 ? $"{name} {device}" : name;
            knobs.Add(KnobOf(wanted.Path, key, TextOf(name, value, device, wanted.Path)));
        }

        Add("cpu", wanted.CpuMillicores);
        if (wanted.IoDevice.Length > 0)
        {
            Add(IsVersion2 ? "io.max read" : "io read", wanted.IoReadBytesPerSecond, wanted.IoDevice);
            Add(IsVersion2 ? "io.max write" : "io write", wanted.IoWriteBytesPerSecond, wanted.IoDevice);
        }

        Add("memory high", wanted.MemoryHighBytes);
        Add(MemoryMax, wanted.MemoryMaxBytes);
        return knobs;
    }

    private CgroupKnob KnobOf(string path, string key, string value)
    {
        string[] parts = key.Split(' ');
        bool hasDevice = parts[0].StartsWith("io", StringComparison.Ordinal);
        string name = string.Join(' ', parts.Take(2));
        return new CgroupKnob(name, FileOf(path, name), value) { Device = hasDevice ? parts[2] : "" };
    }

    private string FileOf(string path, string name) => (IsVersion2, name) switch
    {
        (true, "cpu") => In("", path, "cpu.max"),
        (true, "memory high") => In("", path, "memory.high"),
        (true, MemoryMax) => In("", path, "memory.max"),
        (true, _) => In("", path, "io.max"),
        (false, "cpu") => In("cpu", path, "cpu.cfs_quota_us"),
        (false, "memory high") => In("memory", path, "memory.soft_limit_in_bytes"),
        (false, MemoryMax) => In("memory", path, "memory.limit_in_bytes"),
        (false, "io read") => In("blkio", path, "blkio.throttle.read_bps_device"),
        (false, _) => In("blkio", path, "blkio.throttle.write_bps_device"),
    };

    private string TextOf(string name, ulong value, string device, string path) => name switch
    {
        "cpu" => CpuText(value, path),
        "io.max read" => $"{device} rbps={value}",
        "io.max write" => $"{device} wbps={value}",
        "io read" or "io write" => $"{device} {value}",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private string CpuText(ulong millicores, string path)
    {
        const ulong DefaultPeriodUs = 100_000;
        string? text = IsVersion2
            ? KernelFile.TryRead(In("", path, "cpu.max"))?.Split(' ').Last()
            : KernelFile.TryRead(In("cpu", path, "cpu.cfs_period_us"));
        ulong period = ulong.TryParse(text, CultureInfo.InvariantCulture, out ulong read) ? read : DefaultPeriodUs;
        ulong quota = Math.Max(1000, millicores * period / 1000); // the kernel takes no less than a millisecond
        return IsVersion2 ? $"{quota} {period}" : quota.ToString(CultureInfo.InvariantCulture);
    }

    private string? WaitForRoom(CgroupLimit wanted, CancellationToken deadline)
    {
        for (int waits = 0; waits < MaxWaits; waits++)
        {
            if (Used(wanted.Path) is not { } used) return "how much memory is in use cannot be read; memory_max was not written";
            if ((ulong)used <= wanted.MemoryMaxBytes) return null;
            if (deadline.WaitHandle.WaitOne(Pause)) break;
        }

        return $"{Used(wanted.Path)} bytes stay in use, more than memory_max {wanted.MemoryMaxBytes}, which was not written";
    }

    private long? Used(string path) =>
        long.TryParse(
            KernelFile.TryRead(IsVersion2 ? In("", path, "memory.current") : In("memory", path, "memory.usage_in_bytes")),
            CultureInfo.InvariantCulture, out long used) ? used : null;

    private bool Exists(string path) =>
        IsVersion2 ? Directory.Exists(In("", path, "")) : Controllers.Any(controller => Directory.Exists(In(controller, path, "")));

    private string In(string controller, string path, string file) => Path.Combine(paths.CgroupRoot, controller, path.TrimStart('/'), file);

    private string? PathProblem(string path)
    {
        if (path.Length < 2 || path[0] != '/') return $"{path}: begins with /, and is not the root";
        if (path.Split('/').Any(part => part is ".." or ".")) return $"{path}: no . and no ..";
        foreach (string controller in IsVersion2 ? [""] : Controllers)
        {
            string folder = Path.Combine(paths.CgroupRoot, controller);
            foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                folder = Path.Combine(folder, part);
                if (new DirectoryInfo(folder).LinkTarget is not null) return $"{folder} is a link";
            }
        }

        return null;
    }
}
