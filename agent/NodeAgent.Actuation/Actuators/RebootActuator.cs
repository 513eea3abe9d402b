using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Why the node should not go away now, in a sentence; null: nobody works here.</summary>
public delegate string? BusyReason(CancellationToken deadline);

/// <summary>
/// Restarts the node through systemd. The process does not live to see it: what proves it is another boot id at the next start
/// (<see cref="CommandRunner.CloseInterrupted"/>). An acknowledged order that changes nothing is "not verified", not done.
/// </summary>
public sealed class RebootActuator(Tools tools, HostPaths paths, BusyReason busy) : IActuator
{
    private static readonly string[] Running = ["running", "degraded", "starting", "initializing", "maintenance"];

    public Command.ActionOneofCase Action => Command.ActionOneofCase.Reboot;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string? bootId = KernelFile.TryRead(Path.Combine(paths.Proc, "sys/kernel/random/boot_id"));
        bool dumping = File.Exists(Path.Combine(paths.Proc, "vmcore")); // there only in the kernel that saves the dump of the one before
        ToolResult state = tools.Run(paths.Systemctl, ["is-system-running"], deadline);
        string said = state.Text.Trim();
        string? why = busy(deadline);
        return new(
        [
            new Precondition("boot-id-known", bootId is { Length: > 0 }, bootId ?? "the kernel does not say which boot this is"),
            new Precondition("no-crash-dump", !dumping, dumping ? "a kernel dump is being saved" : "no dump"),
            new Precondition("system-running", Running.Contains(said), said.Length > 0 ? $"systemd says {said}" : state.Problem("systemctl")),
            new Precondition("drained", why is null || command.Reboot.EvenIfBusy, why ?? "nobody works here"),
        ],
        Memo: bootId ?? "");
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        ToolResult result = tools.Run(paths.Systemctl, ["reboot"], deadline);
        return result.Ok ? StepResult.Good("systemd took the order") : StepResult.Bad(result.Problem("systemctl reboot"));
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        deadline.WaitHandle.WaitOne();
        return StepResult.Bad($"this is still boot {prepared.Memo}");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a reboot cannot be undone");
}
