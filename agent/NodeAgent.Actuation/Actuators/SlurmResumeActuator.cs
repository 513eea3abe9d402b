using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Gives a node back that a command drained. One that a person or Slurm itself drained stays as it is: they had a reason.</summary>
public sealed class SlurmResumeActuator(Tools tools, HostPaths paths) : IActuator
{
    public Command.ActionOneofCase Action => Command.ActionOneofCase.SlurmResume;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string name = command.SlurmResume.Node;
        if (!SlurmNode.TryShow(tools, paths, name, deadline, out SlurmNode? node, out ToolResult shown)) return SlurmPreconditions.NotThere(name, shown);
        return new(
        [
            new Precondition("slurm-answers", true, "scontrol answers"),
            new Precondition("node-known", true, $"{name} is {node.Describe}"),
            new Precondition("drained-by-us", node.IsDrainedByUs, node.Describe),
        ]);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) =>
        SlurmNode.Update(tools, paths, command.SlurmResume.Node, "resume", reason: null, deadline) is { } problem
            ? StepResult.Bad(problem)
            : StepResult.Good($"told Slurm to resume {command.SlurmResume.Node}");

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) =>
        SlurmNode.TryShow(tools, paths, command.SlurmResume.Node, deadline, out SlurmNode? node, out ToolResult shown)
            ? new StepResult(!node.IsDrained, node.Describe)
            : StepResult.Bad(shown.Problem("scontrol show node"));

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a resume is undone by another drain");
}

/// <summary>What both commands say where there is no such node.</summary>
internal static class SlurmPreconditions
{
    internal static Preparation NotThere(string name, ToolResult shown)
    {
        bool answered = (shown.Error + shown.Text).Contains("not found", StringComparison.OrdinalIgnoreCase);
        return new(
        [
            new Precondition("slurm-answers", answered, answered ? "scontrol answers" : shown.Problem("scontrol")),
            new Precondition("node-known", false, answered ? $"Slurm has no node {name}" : "not known"),
        ]);
    }
}
