using NodeAgent.V1;

namespace NodeAgent.Actuation;

/// <summary>A condition on this node that must hold before something is done.</summary>
/// <param name="Name">As in the catalogue.</param>
/// <param name="Passed">It holds.</param>
/// <param name="Detail">One sentence with the values.</param>
public sealed record Precondition(string Name, bool Passed, string Detail);

/// <summary>What an actuator found before acting.</summary>
/// <param name="Preconditions">All of them, also those after one that failed, as far as they can be told.</param>
/// <param name="Undo">How to put back what is there now; null where nothing can be, or a precondition failed.</param>
/// <param name="Memo">What the verification compares with: an invocation id, a value.</param>
public sealed record Preparation(IReadOnlyList<Precondition> Preconditions, UndoPlan? Undo = null, string Memo = "")
{
    public bool Passed => Preconditions.All(condition => condition.Passed);
}

/// <summary>How a step ended.</summary>
/// <param name="Ok">As wanted.</param>
/// <param name="Detail">One sentence.</param>
/// <param name="Output">What a program printed; at most 64 KiB.</param>
public sealed record StepResult(bool Ok, string Detail, byte[]? Output = null)
{
    public static StepResult Good(string detail) => new(true, detail);

    public static StepResult Bad(string detail) => new(false, detail);
}

/// <summary>
/// Does one kind of thing. What goes wrong in the world is a result; an exception is a bug, ends the process, and leaves the command
/// "interrupted". None of the calls may rely on another one having been made in the same process, but for <see cref="Preparation"/>.
/// </summary>
public interface IActuator
{
    Command.ActionOneofCase Action { get; }

    /// <summary>Looks, and changes nothing: this alone is a dry run.</summary>
    Preparation Prepare(Command command, CancellationToken deadline);

    /// <summary>Does it. Called at most once a command.</summary>
    StepResult Act(Command command, Preparation prepared, CancellationToken deadline);

    /// <summary>Reads back whether it is so.</summary>
    StepResult Verify(Command command, Preparation prepared, CancellationToken deadline);

    /// <summary>Puts back what the plan says and reads it back. May be called again after a crash, so it must be harmless when already done.</summary>
    StepResult Undo(UndoPlan plan, CancellationToken deadline);
}
