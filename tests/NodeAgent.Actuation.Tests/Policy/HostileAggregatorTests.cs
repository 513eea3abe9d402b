using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Policy;

/// <summary>
/// Whoever has the aggregator has every envelope ever sent, keys of its own, any number of tries and all the time in the world; but no
/// operator's key. It must reach reading, and nothing else.
/// </summary>
public sealed class HostileAggregatorTests : IDisposable
{
    private readonly World _world = new();
    private readonly ECDsa _own = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public async Task Everything_WithoutAnOperatorsKey_DoesNothing()
    {
        byte[] recorded = _world.Restarting();
        await _world.RunAsync(recorded);
        int done = _world.Executions.Count;
        SignedCommand genuine = SignedCommand.Parser.ParseFrom(recorded);
        SignedCommand setting = SignedCommand.Parser.ParseFrom(_world.Setting("performance", TimeSpan.FromMinutes(1)));
        ulong sequence = 1000;
        foreach (CommandDescription row in CommandCatalogue.All)
        {
            foreach (SignedCommand attempt in Attempts(row, genuine, setting, () => ++sequence))
            {
                CommandResult result = await _world.RunAsync(attempt.ToByteArray());
                bool harmless = result.Refusal.Length > 0 || row.Risk == RiskClass.R0;
                Assert.True(harmless, $"{row.Name}: {result}");
            }
        }

        Assert.Equal(done, _world.Executions.Count);
        Assert.Equal(World.Before, _world.Governor);
        // And it has not shut the operators out.
        Assert.Equal(CommandOutcome.Done, (await _world.RunAsync(_world.Restarting())).Outcome);
    }

    [Fact]
    public async Task RecordedCommands_AfterTheJournalWasRolledBackAndTheyExpired_AreRefused()
    {
        byte[] recorded = _world.Restarting();
        _world.Time.Advance(TimeSpan.FromMinutes(16));

        Assert.Equal("expired", (await _world.RunAsync(recorded)).Refusal);
    }

    public void Dispose()
    {
        _world.Dispose();
        _own.Dispose();
    }

    private IEnumerable<SignedCommand> Attempts(CommandDescription row, SignedCommand genuine, SignedCommand setting, Func<ulong> sequence)
    {
        ByteString Payload(RiskClass risk) => _world.Build(command =>
        {
            // The action alone, through the wire: whatever the catalogue will hold is tried.
            command.MergeFrom([.. Tag((uint)row.Action), 0]);
            command.Risk = risk;
            command.Sequence = sequence();
            if (row.Action == Command.ActionOneofCase.ServiceRestart) command.ServiceRestart.Unit = "slurmd.service";
            if (row.Action == Command.ActionOneofCase.CpuGovernor) command.CpuGovernor.Governor = "performance";
            if (row.TtlRequired) command.TtlMs = 60_000;
        }).ToByteString();

        // Nobody signed; called harmless; signed by itself; by itself under an operator's name; with an operator's signature of something else.
        yield return new SignedCommand { Payload = Payload(row.Risk) };
        yield return new SignedCommand { Payload = Payload(RiskClass.R0) };
        SignedCommand self = new() { Payload = Payload(row.Risk) };
        new CommandSigner(_own, _world.Fleet).AddTo(self);
        yield return self;
        SignedCommand stolenName = self.Clone();
        stolenName.Signatures[0].KeyId = genuine.Signatures[0].KeyId;
        yield return stolenName;
        yield return new SignedCommand { Payload = Payload(row.Risk), Signatures = { genuine.Signatures[0] } };
        yield return new SignedCommand { Payload = Payload(row.Risk), Signatures = { setting.Signatures[0] } };
        yield return new SignedCommand { Payload = Payload(row.Risk), Signatures = { genuine.Signatures[0], setting.Signatures[0] } };
        yield return new SignedCommand { Payload = Payload(row.Risk), Signatures = { new CommandSignature() } };
        // What was recorded, again.
        yield return genuine;
    }

    private static byte[] Tag(uint field)
    {
        uint tag = (field << 3) | 2;
        return tag < 128 ? [(byte)tag] : [(byte)(tag | 128), (byte)(tag >> 7)];
    }
}
