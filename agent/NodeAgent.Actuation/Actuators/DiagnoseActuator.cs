using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Runs a program of the local policy. The network chooses a name; the command line never comes from there.</summary>
public sealed class DiagnoseActuator(ActuationPolicy policy, Tools tools, HostPaths paths) : IActuator
{
    public Command.ActionOneofCase Action => Command.ActionOneofCase.Diagnose;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        if (!policy.Diagnostics.TryGetValue(command.Diagnose.Name, out DiagnosticEntry? entry))
        {
            return new([new Precondition("diagnostic-defined", false, $"the local policy defines no diagnostic {command.Diagnose.Name}")]);
        }

        string? problem = OperatingSystem.IsWindows() ? "diagnostics are not started on Windows yet" : FileTrust.ProblemOfProgram(entry.Argv[0], paths.TrustedOwner);
        return new([new Precondition("diagnostic-defined", true, string.Join(' ', entry.Argv)), new Precondition("program-safe", problem is null, problem ?? $"{entry.Argv[0]} is root's alone")]);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        List<string> argv = policy.Diagnostics[command.Diagnose.Name].Argv;
        ToolResult result = tools.Run(argv[0], argv[1..], deadline);
        return new StepResult(result.Ok, result.Ok ? $"{argv[0]} ended with 0" : result.Problem(argv[0]), result.Output);
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) => StepResult.Good("it only read");

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("there is nothing to undo");
}
