using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Changes nothing. That there is nothing to check, verify or undo is what makes it the measure of everything around it.</summary>
public sealed class NoOpActuator : IActuator
{
    public Command.ActionOneofCase Action => Command.ActionOneofCase.NoOp;

    public Preparation Prepare(Command command, CancellationToken deadline) => new([]);

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) => StepResult.Good("nothing to do");

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) => StepResult.Good("nothing to read back");

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("there is nothing to undo");
}
