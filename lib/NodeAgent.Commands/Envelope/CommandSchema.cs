using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>Whether a payload says something at all: fields within their bounds, and those of its kind's parameters.</summary>
public static class CommandSchema
{
    /// <summary>A setting that must hold longer is configuration, not a command.</summary>
    public static readonly TimeSpan MaxTtl = TimeSpan.FromDays(7);

    private const int MaxText = 256;

    /// <summary>Null: it does.</summary>
    /// <param name="command">The payload.</param>
    /// <param name="description">Its row in the catalogue, once found.</param>
    public static Verdict? Check(Command command, out CommandDescription? description)
    {
        description = null;
        if (command.CommandId.Length != CommandEnvelope.IdBytes) return Malformed("command_id: 16 bytes are wanted", null);
        Guid id = CommandEnvelope.ToGuid(command.CommandId);
        if (id == Guid.Empty) return Malformed("command_id: not zero", id);
        if (!CommandCatalogue.TryFind(command.ActionCase, out description))
        {
            return Verdict.No(CommandRefusal.UnknownCommand, "no action that this version knows", id);
        }

        return (CheckFrame(command) ?? CheckParameters(command, description)) is { } problem ? Malformed(problem, id) : CheckPromises(command, description, id);
    }

    private static string? CheckFrame(Command command)
    {
        if (command.AgentId.Length != CommandEnvelope.IdBytes) return "agent_id: 16 bytes are wanted";
        if (command.Nonce.Length != CommandEnvelope.IdBytes) return "nonce: 16 bytes are wanted";
        if (command.LeaseId.Length is not (0 or CommandEnvelope.IdBytes)) return "lease_id: 16 bytes or none are wanted";
        if (command.Sequence == 0) return "sequence: at least 1 is wanted";
        return TextProblem("reason", command.Reason) ?? TextProblem("ticket", command.Ticket) ?? TextProblem("expected_boot_id", command.ExpectedBootId);
    }

    private static string? CheckParameters(Command command, CommandDescription description)
    {
        foreach (ParameterDescription parameter in description.Parameters)
        {
            if (parameter.Problem(command) is { } problem) return problem;
        }

        return null;
    }

    private static Verdict? CheckPromises(Command command, CommandDescription description, Guid id)
    {
        if (command.Risk != description.Risk)
        {
            return Verdict.No(CommandRefusal.WrongRisk, $"{description.Name} is {description.Risk}, the payload says {(int)command.Risk}", id);
        }

        long window = CommandEnvelope.WindowMs(command);
        if (window < 0 || window > CommandEnvelope.MaxWindow.TotalMilliseconds)
        {
            return Verdict.No(CommandRefusal.WindowTooLong, $"not_before to not_after: more than 0 and at most {CommandEnvelope.MaxWindow} are wanted", id);
        }

        if (command.TtlMs > MaxTtl.TotalMilliseconds) return Malformed($"ttl_ms: at most {MaxTtl.TotalMilliseconds} is wanted", id);
        if (command.TtlMs == 0 && description.TtlRequired) return Malformed($"ttl_ms: {description.Name} reverts by itself, so it needs one", id);
        if (command.TtlMs != 0 && !description.HasUndo) return Malformed($"ttl_ms: {description.Name} cannot be undone, so it has none", id);
        return command.Reason.Length == 0 && description.Risk > RiskClass.R0 ? Malformed("reason: wanted above R0", id) : null;
    }

    private static string? TextProblem(string name, string text) =>
        text.Length > MaxText ? $"{name}: at most {MaxText} characters"
        : text.Any(char.IsControl) ? $"{name}: no control characters"
        : null;

    private static Verdict Malformed(string detail, Guid? id) => Verdict.No(CommandRefusal.Malformed, detail, id);
}
