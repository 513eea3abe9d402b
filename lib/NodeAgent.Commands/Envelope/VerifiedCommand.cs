using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>A command that passed every check that needs no disk.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Command">The payload, decoded.</param>
/// <param name="Description">Its row in the catalogue.</param>
/// <param name="Signers">Owners of the keys that signed; none for an unsigned R0.</param>
public sealed record VerifiedCommand(Guid Id, Command Command, CommandDescription Description, IReadOnlyList<string> Signers);

/// <summary>What the checks came to: a command, or why not.</summary>
/// <param name="Refusal">None: accepted.</param>
/// <param name="Detail">One sentence with the values; without control characters, whatever the envelope held.</param>
/// <param name="Accepted">The command; null when refused.</param>
/// <param name="Id">The id the payload claims, as soon as it could be read: for the answer, not to be trusted.</param>
public sealed record Verdict(CommandRefusal Refusal, string Detail, VerifiedCommand? Accepted, Guid? Id)
{
    public static Verdict No(CommandRefusal refusal, string detail, Guid? id = null) => new(refusal, detail, null, id);
}
