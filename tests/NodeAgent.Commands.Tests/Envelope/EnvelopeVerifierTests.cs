using Google.Protobuf;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Commands.Tests.Envelope;

public sealed class EnvelopeVerifierTests : IDisposable
{
    private readonly Signing _signing = new();

    public static TheoryData<string, CommandRefusal> WrongPayloads => new()
    {
        { "another agent", CommandRefusal.WrongAgent },
        { "another boot", CommandRefusal.WrongBoot },
        { "a window of 16 minutes", CommandRefusal.WindowTooLong },
        { "a window that ends before it begins", CommandRefusal.WindowTooLong },
        { "another class than the catalogue's", CommandRefusal.WrongRisk },
        { "no action", CommandRefusal.UnknownCommand },
        { "no reason", CommandRefusal.Malformed },
        { "a reason with an escape sequence", CommandRefusal.Malformed },
        { "sequence 0", CommandRefusal.Malformed },
        { "no nonce", CommandRefusal.Malformed },
        { "a unit that is an option", CommandRefusal.Malformed },
        { "a unit with a space", CommandRefusal.Malformed },
        { "a time to live where nothing can be undone", CommandRefusal.Malformed },
        { "a setting without a time to live", CommandRefusal.Malformed },
        { "a field of a later version", CommandRefusal.Malformed },
    };

    [Fact]
    public void Verify_SignedCommandForThisAgent_IsAccepted()
    {
        Verdict verdict = _signing.Verify(_signing.Anna.Sign(_signing.Command()));

        Assert.Equal((CommandRefusal.None, "anna"), (verdict.Refusal, verdict.Accepted?.Signers.Single()));
    }

    [Theory]
    [MemberData(nameof(WrongPayloads))]
    public void Verify_WrongPayloadWithAGoodSignature_IsRefusedWithItsReason(string what, CommandRefusal refusal)
    {
        Command command = _signing.Command(changed => Spoil(changed, what));
        SignedCommand envelope = what == "a field of a later version" ? WithLaterField(command) : _signing.Anna.Sign(command);

        Assert.Equal(refusal, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_KeyNobodyTrusts_IsUnknownKey() =>
        Assert.Equal(CommandRefusal.UnknownKey, _signing.Verify(_signing.Stranger.Sign(_signing.Command())).Refusal);

    [Fact]
    public void Verify_StrangersSignatureUnderATrustedKeyId_IsBadSignature()
    {
        SignedCommand envelope = _signing.Stranger.Sign(_signing.Command());
        envelope.Signatures[0].KeyId = ByteString.CopyFrom([.. _signing.Anna.KeyId]);

        Assert.Equal(CommandRefusal.BadSignature, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_SignatureForAnotherFleet_IsBadSignature() =>
        Assert.Equal(CommandRefusal.BadSignature, _signing.Verify(_signing.AnnaOf(Guid.NewGuid()).Sign(_signing.Command())).Refusal);

    [Fact]
    public void Verify_AnotherAlgorithmThanTheKeys_IsRefused()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Command());
        envelope.Signatures[0].Algorithm = SignatureAlgorithm.None;

        Assert.Equal(CommandRefusal.WrongAlgorithm, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_NothingSigned_IsTooFewApprovalsAboveR0AndAcceptedForR0()
    {
        SignedCommand restart = new() { Payload = _signing.Command().ToByteString() };
        SignedCommand diagnose = new()
        {
            Payload = _signing.Command(command =>
            {
                command.Diagnose = new Diagnose { Name = "uptime" };
                command.Risk = RiskClass.R0;
            }).ToByteString(),
        };

        Assert.Equal(CommandRefusal.TooFewApprovals, _signing.Verify(restart).Refusal);
        Assert.Equal(CommandRefusal.None, _signing.Verify(diagnose).Refusal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_OnePersonTwice_IsRefusedWhetherByOneKeyOrByTwo(bool byTwoKeys)
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Reboot());
        (byTwoKeys ? _signing.AnnasOther : _signing.Anna).AddTo(envelope);

        Assert.Equal(CommandRefusal.SignerTwice, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_OutageClass_WantsTwoPeople()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Reboot());

        Assert.Equal(CommandRefusal.TooFewApprovals, _signing.Verify(envelope).Refusal);
        _signing.Ben.AddTo(envelope);
        Assert.Equal(["anna", "ben"], _signing.Verify(envelope).Accepted!.Signers);
    }

    [Fact]
    public void Verify_BadSecondSignature_SpoilsAnEnvelopeThatNeedsOnlyOne()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Command());
        _signing.Ben.AddTo(envelope);
        byte[] bad = envelope.Signatures[1].Signature.ToByteArray();
        bad[40] ^= 1;
        envelope.Signatures[1].Signature = ByteString.CopyFrom(bad);

        Assert.Equal(CommandRefusal.BadSignature, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_OutsideItsWindow_IsExpiredOrNotYetValid()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Command());
        SignedCommand future = _signing.Anna.Sign(_signing.Command(command =>
        {
            command.NotBeforeUnixMs += 1;
            command.NotAfterUnixMs += 1;
        }));

        Assert.Equal(CommandRefusal.NotYetValid, _signing.Verify(future).Refusal);
        _signing.Time.Advance(TimeSpan.FromMilliseconds(60_001));
        Assert.Equal(CommandRefusal.Expired, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_ClockSetBack_RevivesNothing()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Command());
        _signing.HighestSignedUnixMs = _signing.Time.GetUtcNow().ToUnixTimeMilliseconds() + 120_000;

        Assert.Equal(CommandRefusal.Expired, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_ClockNotSynchronised_RefusesWhatDisturbsAndTakesADryRun()
    {
        _signing.IsClockSynchronised = false;

        Assert.Equal(CommandRefusal.ClockUnsynchronised, _signing.Verify(_signing.Anna.Sign(_signing.Command())).Refusal);
        Assert.Equal(CommandRefusal.None, _signing.Verify(_signing.Anna.Sign(_signing.Command(command => command.DryRun = true))).Refusal);
    }

    [Fact]
    public void Verify_ConsumedBefore_IsReplayedAndALowerSequenceIsToldApart()
    {
        Command first = _signing.Command();
        SignedCommand late = _signing.Anna.Sign(_signing.Command());
        _signing.Consumed.Add(CommandEnvelope.ToGuid(first.CommandId));
        _signing.HighestSequence = first.Sequence;

        Assert.Equal(CommandRefusal.Replayed, _signing.Verify(_signing.Anna.Sign(first)).Refusal);
        Assert.Equal(CommandRefusal.SequenceTooLow, _signing.Verify(late).Refusal);
    }

    [Fact]
    public void Verify_MalleatedSignatureOfAConsumedCommand_IsStillReplayed()
    {
        // s and n - s both verify: who recognised commands by their signatures would act twice.
        SignedCommand envelope = _signing.Anna.Sign(_signing.Command());
        byte[] signature = envelope.Signatures[0].Signature.ToByteArray();
        Malleate(signature);
        envelope.Signatures[0].Signature = ByteString.CopyFrom(signature);

        Verdict verdict = _signing.Verify(envelope);
        Assert.Equal(CommandRefusal.None, verdict.Refusal);
        _signing.Consumed.Add(verdict.Accepted!.Id);
        Assert.Equal(CommandRefusal.Replayed, _signing.Verify(envelope).Refusal);
    }

    [Fact]
    public void Verify_PolicySaysNo_NamesTheRuleBeforeItLooksAtSignatures()
    {
        _signing.Policy = (_, _) => new PolicyDecision(false, 0, "commands.service_restart.units", "only nvidia-persistenced.service");

        Verdict verdict = _signing.Verify(_signing.Stranger.Sign(_signing.Command()));

        Assert.Equal(CommandRefusal.PolicyDenied, verdict.Refusal);
        Assert.StartsWith("commands.service_restart.units", verdict.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_KeyThatMayNotSignThisClass_IsDeniedByItsRuleAlsoAsTheSecondOne()
    {
        SignedCommand reboot = _signing.Anna.Sign(_signing.Reboot());
        _signing.Carl.AddTo(reboot);

        Assert.All([_signing.Carl.Sign(_signing.Command()), reboot], envelope =>
        {
            Verdict verdict = _signing.Verify(envelope);
            Assert.Equal(CommandRefusal.PolicyDenied, verdict.Refusal);
            Assert.StartsWith("trust.carl.max_risk", verdict.Detail, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Verify_LargerThanAnyCommand_IsTooLarge() =>
        Assert.Equal(CommandRefusal.TooLarge, _signing.Verifier.Verify(new byte[CommandEnvelope.MaxBytes + 1]).Refusal);

    public void Dispose() => _signing.Dispose();

    private SignedCommand WithLaterField(Command command)
    {
        byte[] payload = [.. command.ToByteArray(), 0xa0, 0x3f, 0x01]; // field 1012, a varint
        SignedCommand probe = new() { Payload = ByteString.CopyFrom(payload) };
        _signing.Anna.AddTo(probe);
        return probe;
    }

    private static void Spoil(Command command, string what)
    {
        switch (what)
        {
            case "another agent": command.AgentId = CommandEnvelope.ToBytes(Guid.NewGuid()); break;
            case "another boot": command.ExpectedBootId = "boot-0"; break;
            case "a window of 16 minutes": command.NotAfterUnixMs = command.NotBeforeUnixMs + (16 * 60_000); break;
            case "a window that ends before it begins": command.NotAfterUnixMs = command.NotBeforeUnixMs; break;
            case "another class than the catalogue's": command.Risk = RiskClass.R0; break;
            case "no action": command.ClearAction(); break;
            case "no reason": command.Reason = ""; break;
            case "a reason with an escape sequence": command.Reason = "\u001b[2J"; break;
            case "sequence 0": command.Sequence = 0; break;
            case "no nonce": command.Nonce = ByteString.Empty; break;
            case "a unit that is an option": command.ServiceRestart.Unit = "--force"; break;
            case "a unit with a space": command.ServiceRestart.Unit = "a b.service"; break;
            case "a time to live where nothing can be undone": command.TtlMs = 1000; break;
            case "a setting without a time to live": Setting(command); break;
            default: break;
        }
    }

    private static void Setting(Command command)
    {
        command.Risk = RiskClass.R1;
        command.CpuGovernor = new CpuGovernor { Governor = "performance" };
    }

    private static void Malleate(byte[] signature)
    {
        // The order of P-256 (FIPS 186-4, D.1.2.3).
        var order = new System.Numerics.BigInteger(
            Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);
        var s = new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true);
        byte[] other = (order - s).ToByteArray(isUnsigned: true, isBigEndian: true);
        signature.AsSpan(32).Clear();
        other.CopyTo(signature, signature.Length - other.Length);
    }
}
