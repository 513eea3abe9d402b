using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Commands.Tests.Envelope;

/// <summary>Whatever happens to an envelope's bytes, it is refused, and nothing is thrown.</summary>
public sealed class EnvelopePropertyTests : IDisposable
{
    private readonly Signing _signing = new();

    [Fact]
    public void Verify_EveryByteAltered_IsRefusedAndNoneCrashes()
    {
        byte[] envelope = TwoPersonEnvelope();
        Assert.Equal(CommandRefusal.None, _signing.Verifier.Verify(envelope).Refusal);

        var reasons = new Dictionary<CommandRefusal, int>();
        for (int i = 0; i < envelope.Length; i++)
        {
            foreach (int change in (int[])[0x01, 0x02, 0x10, 0x80, 0xff])
            {
                byte[] altered = [.. envelope];
                altered[i] ^= (byte)change;
                CommandRefusal refusal = _signing.Verifier.Verify(altered).Refusal;
                Assert.True(refusal != CommandRefusal.None, $"byte {i} xor {change:x2} was accepted");
                reasons[refusal] = reasons.GetValueOrDefault(refusal) + 1;
            }
        }

        // A test that only ever met one reason would not have come past the first check.
        Assert.True(reasons.Count >= 5, string.Join(", ", reasons));
        Assert.True(reasons.GetValueOrDefault(CommandRefusal.BadSignature) > 100);
    }

    [Fact]
    public void Verify_EveryPrefixAndEveryByteLeftOutOrDoubled_IsRefused()
    {
        byte[] envelope = TwoPersonEnvelope();
        for (int i = 0; i < envelope.Length; i++)
        {
            Assert.NotEqual(CommandRefusal.None, _signing.Verifier.Verify(envelope.AsSpan(0, i)).Refusal);
            Assert.NotEqual(CommandRefusal.None, _signing.Verifier.Verify([.. envelope[..i], .. envelope[(i + 1)..]]).Refusal);
            Assert.NotEqual(CommandRefusal.None, _signing.Verifier.Verify([.. envelope[..i], envelope[i], .. envelope[i..]]).Refusal);
        }
    }

    [Fact]
    public void Verify_RandomBytesAndRandomMixtures_AreRefused()
    {
        byte[] envelope = TwoPersonEnvelope();
#pragma warning disable CA5394, RS0030 // Not for secrets; the seed makes it the same every time.
        Random random = new(20261121);
#pragma warning restore RS0030
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = round % 2 == 0 ? new byte[random.Next(400)] : [.. envelope];
            if (round % 2 == 0) random.NextBytes(bytes);
            for (int change = random.Next(1, 6); change > 0 && round % 2 == 1; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (bytes.AsSpan().SequenceEqual(envelope)) continue;
            Assert.True(_signing.Verifier.Verify(bytes).Refusal != CommandRefusal.None, $"round {round}");
        }
#pragma warning restore CA5394
    }

    [Fact]
    public void Digest_DomainFleetAndPayload_CannotRunIntoEachOther()
    {
        Guid fleet = Guid.NewGuid();

        Assert.NotEqual(CommandEnvelope.Digest(fleet, [1, 2]), CommandEnvelope.Digest(fleet, [1, 2, 0]));
        Assert.NotEqual(CommandEnvelope.Digest(fleet, [1, 2]), CommandEnvelope.Digest(Guid.NewGuid(), [1, 2]));
    }

    [Fact]
    public void RefusalNames_AreDistinct()
    {
        string[] names = [.. Enum.GetValues<CommandRefusal>().Select(CommandRefusals.NameOf)];

        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Catalogue_EveryActionOfTheContract_HasItsRow()
    {
        Command.ActionOneofCase[] actions = [.. Enum.GetValues<Command.ActionOneofCase>().Where(action => action != Command.ActionOneofCase.None)];

        Assert.Equal(actions.Order(), CommandCatalogue.All.Select(row => row.Action).Order());
        Assert.All(CommandCatalogue.All, row => Assert.True(row.Risk != RiskClass.R1 || row.HasUndo || row.Name == "no_op", $"{row.Name}: R1 is what can be undone"));
    }

    [Fact]
    public void Catalogue_EveryRow_SaysEverythingAboutItself() => Assert.All(CommandCatalogue.All, row =>
    {
        Assert.All(row.Preconditions, condition => Assert.NotEqual("", condition.Name + condition.Meaning));
        Assert.Equal(row.Preconditions.Count, row.Preconditions.Select(condition => condition.Name).Distinct().Count());
        Assert.NotEqual("", row.Summary);
        Assert.NotEqual("", row.Verification);
    });

    [Fact]
    public void Catalogue_EveryFieldOfAnAction_IsAParameterOfItsRow()
    {
        foreach (CommandDescription row in CommandCatalogue.All)
        {
            string[] fields = [.. Command.Descriptor.FindFieldByNumber(FieldOf(row)).MessageType.Fields.InFieldNumberOrder().Select(field => field.Name)];

            Assert.Equal(fields, row.Parameters.Select(parameter => parameter.Name));
        }
    }

    public void Dispose() => _signing.Dispose();

    private static int FieldOf(CommandDescription row) => (int)row.Action;

    private byte[] TwoPersonEnvelope()
    {
        SignedCommand envelope = _signing.Anna.Sign(_signing.Reboot());
        _signing.Ben.AddTo(envelope);
        return envelope.ToByteArray();
    }
}
