using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Restarts a systemd unit. Another invocation id is what tells a restart from a unit that simply runs.</summary>
public sealed class ServiceRestartActuator(Tools tools, HostPaths paths) : IActuator
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public Command.ActionOneofCase Action => Command.ActionOneofCase.ServiceRestart;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        Dictionary<string, string>? unit = Show(command.ServiceRestart.Unit, deadline, out string problem);
        if (unit is null) return new([new Precondition("systemd-runs", false, problem), new Precondition("unit-loaded", false, "not known")]);

        string load = unit.GetValueOrDefault("LoadState", "");
        return new(
        [
            new Precondition("systemd-runs", true, "systemctl answers"),
            new Precondition("unit-loaded", load == "loaded", $"{command.ServiceRestart.Unit} is {load}, {unit.GetValueOrDefault("ActiveState", "?")}"),
        ],
        Memo: unit.GetValueOrDefault("InvocationID", ""));
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        ToolResult result = tools.Run(paths.Systemctl, ["restart", "--", command.ServiceRestart.Unit], deadline);
        return result.Ok ? StepResult.Good($"{command.ServiceRestart.Unit} was restarted") : StepResult.Bad(result.Problem("systemctl restart"));
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        string last = "not known";
        do
        {
            if (Show(command.ServiceRestart.Unit, deadline, out string problem) is { } unit)
            {
                string state = unit.GetValueOrDefault("ActiveState", "");
                string invocation = unit.GetValueOrDefault("InvocationID", "");
                if (state == "active" && invocation.Length > 0 && invocation != prepared.Memo) return StepResult.Good($"active as invocation {invocation}");
                last = $"{state} as invocation {invocation}{(invocation == prepared.Memo ? ", the one from before" : "")}";
                if (state == "failed") break;
            }
            else
            {
                last = problem;
            }
        }
        while (!deadline.WaitHandle.WaitOne(Pause));

        return StepResult.Bad($"{command.ServiceRestart.Unit} is {last}");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a restart cannot be undone");

    private Dictionary<string, string>? Show(string unit, CancellationToken deadline, out string problem)
    {
        ToolResult result = tools.Run(paths.Systemctl, ["show", "--property=LoadState,ActiveState,InvocationID", "--", unit], deadline);
        problem = result.Ok ? "" : result.Problem("systemctl show");
        if (!result.Ok) return null;

        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string line in result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) values[line[..equals]] = line[(equals + 1)..].Trim();
        }

        return values;
    }
}
