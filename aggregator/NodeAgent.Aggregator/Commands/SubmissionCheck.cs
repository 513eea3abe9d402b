using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>
/// Whether what somebody submits can be what they meant. It proves nothing, as the aggregator has no keys: each node checks everything
/// again. What it refuses here would be refused there one by one.
/// </summary>
internal static class SubmissionCheck
{
    /// <summary>One call's message must stay below the server's limit.</summary>
    internal const int MostTargets = 5_000;

    /// <summary>Half of what one record of the journal can hold.</summary>
    private const int MostBytes = 8 << 20;

    /// <exception cref="ArgumentException">What is wrong, with the node.</exception>
    internal static CommandDescription Check(SubmitRequest request, Func<string, NodeLane?> laneOf, long nowUnixMs)
    {
        Require(request.RolloutId.Length == CommandEnvelope.IdBytes, "rollout_id: 16 bytes are wanted");
        Require(request.Targets.Count is > 0 and <= MostTargets, $"targets: 1 to {MostTargets} are taken in one rollout");
        Require(request.SoakMs <= RolloutRules.MaxSoak.TotalMilliseconds, $"soak_ms: at most {RolloutRules.MaxSoak.TotalMilliseconds}");
        Require(request.CalculateSize() <= MostBytes, $"more than {MostBytes} bytes in one rollout");
        HashSet<ByteString> ids = [];
        HashSet<string> nodes = new(StringComparer.Ordinal);
        Command? first = null;
        CommandDescription? description = null;
        foreach (SignedTarget signed in request.Targets)
        {
            Require(nodes.Add(signed.Node), $"{signed.Node} is there twice");
            Command command = Open(signed, out CommandDescription found);
            Require(ids.Add(command.CommandId), $"{signed.Node}: its command id is there twice");
            first ??= command;
            description ??= found;
            Require(command.ActionCase == first.ActionCase && command.DryRun == first.DryRun, $"{signed.Node}: a rollout has one kind of command");
            Require(nowUnixMs <= command.NotAfterUnixMs, $"{signed.Node}: its window has passed");
            Require(laneOf(signed.Node)?.Report is { Available: true }, $"{signed.Node}: no actuator there");
            ActuatorReport report = laneOf(signed.Node)!.Report!;
            Guid agent = CommandIdentity.AgentOf(report.Fleet, signed.Node, report.Incarnation.Span);
            Require(CommandEnvelope.ToGuid(command.AgentId) == agent, $"{signed.Node}: the command names another agent than the one there; prepare it again");
        }

        return description!;
    }

    private static Command Open(SignedTarget signed, out CommandDescription description)
    {
        Require(signed.Envelope.Length <= CommandEnvelope.MaxBytes, $"{signed.Node}: more than {CommandEnvelope.MaxBytes} bytes");
        if (!CommandEnvelope.TryParseCanonical(SignedCommand.Parser, signed.Envelope.Span, out SignedCommand? envelope)
            || !CommandEnvelope.TryParseCanonical(Command.Parser, envelope.Payload.Span, out Command? command))
        {
            throw new ArgumentException($"{signed.Node}: no signed command in canonical form");
        }

        Verdict? verdict = CommandSchema.Check(command, out CommandDescription? found);
        Require(verdict is null, $"{signed.Node}: {verdict?.Detail}");
        description = found!;
        bool onlyReads = command.DryRun || description.Risk == RiskClass.R0;
        Require(onlyReads || envelope.Signatures.Count > 0, $"{signed.Node}: nobody signed");
        return command;
    }

    internal static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new ArgumentException(what);
        }
    }
}
