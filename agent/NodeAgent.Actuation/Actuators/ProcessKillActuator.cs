using System.Globalization;
using System.Runtime.Versioning;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Ends one process, and never another one that has its pid by now: all signals go through a pidfd that was compared first.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ProcessKillActuator(HostPaths paths) : IActuator
{
    private const int NoSuchProcess = 3;
    private const int Step = 200; // ms between looks at the deadline
    private static readonly TimeSpan AfterKill = TimeSpan.FromSeconds(15); // a process in a driver call can take long to die, or for ever

    public Command.ActionOneofCase Action => Command.ActionOneofCase.ProcessKill;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        ProcessKill wanted = command.ProcessKill;
        if (ProcessIdentity.TryRead(paths.Proc, (int)wanted.Pid) is not { } found || found.IsGone)
        {
            return new([new Precondition("process-exists", false, $"there is no process {wanted.Pid}")]);
        }

        string? protection = Protection(found);
        return new(
        [
            new Precondition("process-exists", true, $"process {wanted.Pid} is in state {found.State}"),
            new Precondition(
                "start-time-matches", found.StartTimeTicks == wanted.StartTimeTicks,
                $"it started at tick {found.StartTimeTicks}, meant was {wanted.StartTimeTicks}"),
            new Precondition("owner-matches", found.Uid == wanted.Uid, $"it belongs to user {found.Uid}, meant was {wanted.Uid}"),
            new Precondition("not-protected", protection is null, protection ?? "an ordinary process"),
        ]);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        ProcessKill wanted = command.ProcessKill;
        using ProcessHandle? handle = ProcessHandle.TryOpen((int)wanted.Pid, out int errno);
        if (handle is null) return errno == NoSuchProcess ? StepResult.Good("it had ended by itself") : StepResult.Bad($"pidfd_open: error {errno}");

        // After the handle is open: whatever has the pid now is what the handle means.
        if (ProcessIdentity.TryRead(paths.Proc, (int)wanted.Pid) is not { } found || found.StartTimeTicks != wanted.StartTimeTicks)
        {
            return StepResult.Good("it had ended by itself");
        }

        if (wanted.GraceMs > 0)
        {
            if (Send(handle, ProcessHandle.Terminate) is { } refused) return refused;
            if (Wait(handle, TimeSpan.FromMilliseconds(wanted.GraceMs), deadline)) return StepResult.Good("it ended on SIGTERM");
        }

        if (Send(handle, ProcessHandle.Kill) is { } killRefused) return killRefused;
        return Wait(handle, AfterKill, deadline) ? StepResult.Good("it ended on SIGKILL") : StepResult.Bad("it has not ended on SIGKILL: it hangs inside the kernel");
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        ProcessKill wanted = command.ProcessKill;
        bool isThere = ProcessIdentity.TryRead(paths.Proc, (int)wanted.Pid) is { IsGone: false } found && found.StartTimeTicks == wanted.StartTimeTicks;
        return isThere ? StepResult.Bad($"process {wanted.Pid} is still there") : StepResult.Good($"process {wanted.Pid} is gone");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("what is dead stays dead");

    private string? Protection(ProcessIdentity found)
    {
        if (found.Pid <= 1) return "process 1 is the system";
        if (found.IsKernelThread) return "a kernel thread";
        if (found.Pid == Environment.ProcessId) return "this is the actuator";
        if (ProcessIdentity.TryRead(paths.Proc, Environment.ProcessId)?.ParentPid == found.Pid) return "this is the actuator's parent";
        string? program = LinkTarget(found.Pid.ToString(CultureInfo.InvariantCulture));
        return program is not null && program == LinkTarget("self") && Path.GetFileName(program) != "dotnet" ? "a process of this agent" : null;
    }

    private string? LinkTarget(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(paths.Proc, process, "exe")).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A process that ended meanwhile, or one whose program may not be seen: then it is not one of ours.
            return null;
        }
    }

    private static StepResult? Send(ProcessHandle handle, int signal) =>
        handle.Signal(signal) switch
        {
            0 or NoSuchProcess => null,
            int errno => StepResult.Bad($"signal {signal} was refused: error {errno}"),
        };

    private static bool Wait(ProcessHandle handle, TimeSpan atMost, CancellationToken deadline)
    {
        for (double left = atMost.TotalMilliseconds; left > 0 && !deadline.IsCancellationRequested; left -= Step)
        {
            if (handle.WaitForExit((int)Math.Min(Step, left))) return true;
        }

        return handle.WaitForExit(0);
    }
}
