using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>The frequency governor of all CPUs (Documentation/admin-guide/pm/cpufreq.rst).</summary>
public sealed class CpuGovernorActuator(HostPaths paths) : IActuator
{
    private const string Target = "cpu-governor";

    public Command.ActionOneofCase Action => Command.ActionOneofCase.CpuGovernor;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string wanted = command.CpuGovernor.Governor;
        string[] policies = Policies();
        UndoPlan undo = new() { Target = Target };
        List<string> lacking = [];
        foreach (string folder in policies)
        {
            string name = Path.GetFileName(folder);
            string[] offered = (KernelFile.TryRead(Path.Combine(folder, "scaling_available_governors")) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string? current = KernelFile.TryRead(Path.Combine(folder, "scaling_governor"));
            if (!offered.Contains(wanted) || current is null) lacking.Add(name);
            else undo.Steps.Add(new UndoStep { Key = name, Value = current });
        }

        return new(
        [
            new Precondition("cpufreq-present", policies.Length > 0, policies.Length > 0 ? $"{policies.Length} frequency domains" : "no CPU of this host has a governor"),
            new Precondition("governor-available", policies.Length > 0 && lacking.Count == 0, lacking.Count == 0 ? $"all offer {wanted}" : $"{string.Join(", ", lacking.Take(4))} do not offer {wanted}"),
        ],
        undo);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) =>
        WriteAll(Policies().Select(folder => (folder, command.CpuGovernor.Governor)));

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) =>
        ReadAll(Policies().Select(folder => (folder, command.CpuGovernor.Governor)));

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        // A CPU that was taken offline since has nothing to put back.
        (string, string)[] steps = [.. plan.Steps.Select(step => (Path.Combine(Root, step.Key), step.Value)).Where(step => Directory.Exists(step.Item1))];
        StepResult written = WriteAll(steps);
        return written.Ok ? ReadAll(steps) : written;
    }

    private string Root => Path.Combine(paths.Sys, "devices/system/cpu/cpufreq");

    // One folder a frequency domain, as cpu*/cpufreq are links into them.
    private string[] Policies() =>
        Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root, "policy*").Order(StringComparer.Ordinal)] : [];

    private static StepResult WriteAll(IEnumerable<(string Folder, string Governor)> steps)
    {
        int written = 0;
        foreach ((string folder, string governor) in steps)
        {
            if (KernelFile.TryWrite(Path.Combine(folder, "scaling_governor"), governor) is { } problem) return StepResult.Bad(problem);
            written++;
        }

        return StepResult.Good($"{written} domains written");
    }

    private static StepResult ReadAll(IEnumerable<(string Folder, string Governor)> steps)
    {
        int read = 0;
        foreach ((string folder, string governor) in steps)
        {
            string? current = KernelFile.TryRead(Path.Combine(folder, "scaling_governor"));
            if (current != governor) return StepResult.Bad($"{Path.GetFileName(folder)} is {current ?? "unreadable"}, not {governor}");
            read++;
        }

        return StepResult.Good($"{read} domains read back");
    }
}
