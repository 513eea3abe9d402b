using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Drains a node in Slurm, with a reason that says whose it is.</summary>
public sealed class SlurmDrainActuator(Tools tools, HostPaths paths) : IActuator
{
    private const int MaxReason = 200;
    private const string ReasonKey = "reason";

    public Command.ActionOneofCase Action => Command.ActionOneofCase.SlurmDrain;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string name = command.SlurmDrain.Node;
        if (!SlurmNode.TryShow(tools, paths, name, deadline, out SlurmNode? node, out ToolResult shown)) return SlurmPreconditions.NotThere(name, shown);
        UndoPlan undo = new() { Target = $"slurm-node/{name}", Steps = { new UndoStep { Key = ReasonKey, Value = ReasonOf(command) } } };
        return new(
        [
            new Precondition("slurm-answers", true, "scontrol answers"),
            new Precondition("node-known", true, $"{name} is {node.Describe}"),
            new Precondition("not-drained", !node.IsDrained, node.Describe),
        ],
        undo);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        string reason = ReasonOf(command);
        return SlurmNode.Update(tools, paths, command.SlurmDrain.Node, "drain", reason, deadline) is { } problem
            ? StepResult.Bad(problem)
            : StepResult.Good($"told Slurm to drain {command.SlurmDrain.Node}");
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) =>
        SlurmNode.TryShow(tools, paths, command.SlurmDrain.Node, deadline, out SlurmNode? node, out ToolResult shown)
            ? new StepResult(node.IsDrained && node.Reason == ReasonOf(command), node.Describe)
            : StepResult.Bad(shown.Problem("scontrol show node"));

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        string name = plan.Target[(plan.Target.IndexOf('/', StringComparison.Ordinal) + 1)..];
        if (!SlurmNode.TryShow(tools, paths, name, deadline, out SlurmNode? node, out ToolResult shown)) return StepResult.Bad(shown.Problem("scontrol show node"));
        if (!node.IsDrained) return StepResult.Good($"{name} is {node.Describe}");
        if (node.Reason != plan.Steps.FirstOrDefault(step => step.Key == ReasonKey)?.Value)
        {
            // Somebody has taken it over since, and it is theirs to give back: there is nothing of ours left to undo.
            return StepResult.Good($"{name} is left drained: {node.Reason}");
        }

        if (SlurmNode.Update(tools, paths, name, "resume", reason: null, deadline) is { } problem) return StepResult.Bad(problem);
        return SlurmNode.TryShow(tools, paths, name, deadline, out node, out shown) && !node.IsDrained
            ? StepResult.Good($"{name} is {node.Describe}")
            : StepResult.Bad($"{name} is {node?.Describe ?? shown.Problem("scontrol show node")}");
    }

    // The id makes the reason this command's alone; what people wrote follows, without what scontrol would take apart.
    private static string ReasonOf(Command command)
    {
        string text = $"{SlurmNode.Tag}{Convert.ToHexStringLower(command.CommandId.Span)} {new string([.. command.Reason.Where(c => c is not ('"' or '\'' or '=' or '[' or ']'))])}".Trim();
        return text.Length > MaxReason ? text[..MaxReason].Trim() : text;
    }
}
