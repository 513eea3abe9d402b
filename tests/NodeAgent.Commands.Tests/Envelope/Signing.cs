using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Commands.Tests.Envelope;

/// <summary>Two operators, an approver of one's own second key, a stranger; an agent that knows the first ones; and valid commands.</summary>
internal sealed class Signing : ICommandPolicy, IReplayMemory, IAgentFacts, IDisposable
{
    private readonly ECDsa[] _keys = [.. Enumerable.Range(0, 5).Select(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256))];

    internal Signing()
    {
        Keys = new KeyRing([Trust("anna", 0), Trust("ben", 1), Trust("anna", 2), Trust("carl", 4, RiskClass.R1)]);
        Verifier = new EnvelopeVerifier(this, this, this, Time);
    }

    internal SimulatedTime Time { get; } = new();

    internal EnvelopeVerifier Verifier { get; }

    internal Func<Command, CommandDescription, PolicyDecision> Policy { get; set; } =
        (command, description) => new PolicyDecision(true, command.DryRun ? 0 : description.MinApprovals, "default", "");

    internal HashSet<Guid> Consumed { get; } = [];

    public KeyRing Keys { get; }

    public ulong HighestSequence { get; set; }

    public long HighestSignedUnixMs { get; set; }

    public Guid Agent { get; } = Guid.NewGuid();

    public Guid Fleet { get; } = Guid.NewGuid();

    public string BootId { get; } = "boot-1";

    public bool IsClockSynchronised { get; set; } = true;

    internal CommandSigner Anna => new(_keys[0], Fleet);

    internal CommandSigner Ben => new(_keys[1], Fleet);

    internal CommandSigner AnnasOther => new(_keys[2], Fleet);

    /// <summary>Whose key may sign what reverts by itself, and no more.</summary>
    internal CommandSigner Carl => new(_keys[4], Fleet);

    internal CommandSigner Stranger => new(_keys[3], Fleet);

    internal CommandSigner AnnaOf(Guid fleet) => new(_keys[0], fleet);

    public bool WasConsumed(Guid id) => Consumed.Contains(id);

    public PolicyDecision Decide(Command command, CommandDescription description) => Policy(command, description);

    internal Command Command(Action<Command>? change = null)
    {
        long now = Time.GetUtcNow().ToUnixTimeMilliseconds();
        Command command = new()
        {
            CommandId = CommandEnvelope.ToBytes(CommandEnvelope.NewId(Time.GetUtcNow())),
            AgentId = CommandEnvelope.ToBytes(Agent),
            Sequence = HighestSequence + 1,
            NotBeforeUnixMs = now,
            NotAfterUnixMs = now + 60_000,
            Risk = RiskClass.R2,
            Reason = "it hangs",
            Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
            ServiceRestart = new ServiceRestart { Unit = "slurmd.service" },
        };
        change?.Invoke(command);
        return command;
    }

    internal Command Reboot() => Command(command =>
    {
        command.Reboot = new Reboot();
        command.Risk = RiskClass.R3;
    });

    internal Verdict Verify(SignedCommand envelope) => Verifier.Verify(envelope.ToByteArray());

    public void Dispose()
    {
        foreach (ECDsa key in _keys) key.Dispose();
    }

    private TrustedKey Trust(string owner, int key, RiskClass maxRisk = RiskClass.R3)
    {
        Assert.True(TrustedKey.TryRead(owner, _keys[key].ExportSubjectPublicKeyInfo(), maxRisk, out TrustedKey? trusted));
        return trusted;
    }
}
