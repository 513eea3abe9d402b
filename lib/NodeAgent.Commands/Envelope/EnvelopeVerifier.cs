using System.Globalization;
using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>
/// Every check of an envelope that needs no disk, cheapest and least trusting first: size, form, schema, policy, keys, signatures, target,
/// window, clock, sequence. It throws nothing for any bytes whatever. Two checks follow elsewhere, where they are one with consuming the
/// command: the local limits, and the intent on disk.
/// </summary>
public sealed class EnvelopeVerifier(ICommandPolicy policy, IReplayMemory memory, IAgentFacts facts, TimeProvider time)
{
    /// <summary>More signatures than any policy asks for would only be work.</summary>
    private const int MaxSignatures = 8;

    public Verdict Verify(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length > CommandEnvelope.MaxBytes)
        {
            return Verdict.No(CommandRefusal.TooLarge, $"{envelope.Length} bytes; at most {CommandEnvelope.MaxBytes} are taken");
        }

        if (!CommandEnvelope.TryParseCanonical(SignedCommand.Parser, envelope, out SignedCommand? signed))
        {
            return Verdict.No(CommandRefusal.Malformed, "the envelope is not a SignedCommand in canonical form");
        }

        if (signed.Signatures.Count > MaxSignatures) return Verdict.No(CommandRefusal.Malformed, $"more than {MaxSignatures} signatures");
        if (!CommandEnvelope.TryParseCanonical(Command.Parser, signed.Payload.Span, out Command? command))
        {
            return Verdict.No(CommandRefusal.Malformed, "the payload is not a Command in canonical form, or has a field of a later version");
        }

        return CommandSchema.Check(command, out CommandDescription? description) is { } problem
            ? problem
            : VerifyTrust(signed, command, description!);
    }

    private Verdict VerifyTrust(SignedCommand signed, Command command, CommandDescription description)
    {
        Guid id = CommandEnvelope.ToGuid(command.CommandId);
        PolicyDecision decision = policy.Decide(command, description);
        if (!decision.Allowed) return Verdict.No(CommandRefusal.PolicyDenied, $"{decision.Rule}: {decision.Detail}", id);

        if (FindSigners(signed, command, out List<TrustedKey> keys) is { } badKey) return badKey with { Id = id };
        if (keys.Count < decision.Approvals)
        {
            return Verdict.No(
                CommandRefusal.TooFewApprovals, $"{keys.Count} of {decision.Approvals} people signed ({decision.Rule}: {decision.Detail})", id);
        }

        byte[] digest = CommandEnvelope.Digest(facts.Fleet, signed.Payload.Span);
        for (int i = 0; i < keys.Count; i++)
        {
            if (!keys[i].Verifies(digest, signed.Signatures[i].Signature.Span))
            {
                return Verdict.No(CommandRefusal.BadSignature, $"the signature by {keys[i].Owner}'s key {keys[i].Id} is not over these bytes", id);
            }
        }

        return VerifyTarget(command, id)
            ?? VerifyTime(command, description, id)
            ?? VerifyOrder(command, id, isSigned: keys.Count > 0)
            ?? new Verdict(CommandRefusal.None, decision.Rule, new VerifiedCommand(id, command, description, [.. keys.Select(key => key.Owner)]), id);
    }

    private Verdict? FindSigners(SignedCommand signed, Command command, out List<TrustedKey> keys)
    {
        keys = new List<TrustedKey>(signed.Signatures.Count);
        foreach (CommandSignature signature in signed.Signatures)
        {
            if (!policy.Keys.TryFind(signature.KeyId.Span, out TrustedKey? key))
            {
                return Verdict.No(CommandRefusal.UnknownKey, $"key {Hex(signature.KeyId)} is not in the local policy");
            }

            if (signature.Algorithm != SignatureAlgorithm.EcdsaP256Sha256)
            {
                return Verdict.No(CommandRefusal.WrongAlgorithm, $"key {key.Id} signs with ECDSA P-256 SHA-256, not algorithm {(int)signature.Algorithm}");
            }

            if (keys.Any(other => other.Owner == key.Owner))
            {
                return Verdict.No(CommandRefusal.SignerTwice, $"{key.Owner} signed twice; approvals count people");
            }

            if (!command.DryRun && key.MaxRisk < command.Risk)
            {
                return Verdict.No(CommandRefusal.PolicyDenied, $"trust.{key.Owner}.max_risk: the key {key.Id} may sign up to {key.MaxRisk}, this is {command.Risk}");
            }

            keys.Add(key);
        }

        return null;
    }

    private Verdict? VerifyTarget(Command command, Guid id)
    {
        if (CommandEnvelope.ToGuid(command.AgentId) != facts.Agent)
        {
            return Verdict.No(CommandRefusal.WrongAgent, $"meant for agent {CommandEnvelope.ToGuid(command.AgentId)}, this is {facts.Agent}", id);
        }

        return command.ExpectedBootId.Length > 0 && command.ExpectedBootId != facts.BootId
            ? Verdict.No(CommandRefusal.WrongBoot, $"meant for boot {command.ExpectedBootId}, this is {facts.BootId}", id)
            : null;
    }

    private Verdict? VerifyTime(Command command, CommandDescription description, Guid id)
    {
        // The aggregator's clock has no say. What people signed and this agent consumed has: a clock set back revives nothing.
        long now = Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), memory.HighestSignedUnixMs);
        if (now > command.NotAfterUnixMs) return Verdict.No(CommandRefusal.Expired, $"valid until {Instant(command.NotAfterUnixMs)}, it is {Instant(now)}", id);
        if (now < command.NotBeforeUnixMs)
        {
            return Verdict.No(CommandRefusal.NotYetValid, $"valid from {Instant(command.NotBeforeUnixMs)}, it is {Instant(now)}", id);
        }

        return description.Risk >= RiskClass.R2 && !command.DryRun && !facts.IsClockSynchronised
            ? Verdict.No(CommandRefusal.ClockUnsynchronised, $"the local clock is not synchronised, so the window of an {description.Risk} command means nothing", id)
            : null;
    }

    private Verdict? VerifyOrder(Command command, Guid id, bool isSigned)
    {
        if (memory.WasConsumed(id)) return Verdict.No(CommandRefusal.Replayed, $"command {id} was consumed before", id);
        return isSigned && command.Sequence <= memory.HighestSequence
            ? Verdict.No(CommandRefusal.SequenceTooLow, $"sequence {command.Sequence}; {memory.HighestSequence} was consumed before", id)
            : null;
    }

    private static string Instant(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMs, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()))
            .ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Hex(ByteString bytes) => Convert.ToHexStringLower(bytes.Span[..Math.Min(bytes.Length, CommandEnvelope.IdBytes)]);
}
