using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Commands;

/// <summary>The real agent and the real actuator, and an aggregator that was taken over. It reaches reading, and nothing else.</summary>
public sealed class HostileAggregatorTests
{
    private const string Marker = "diagnosed";

    [Fact]
    public async Task Everything_WithoutAnOperatorsKey_ReachesReadingAndNothingElse()
    {
        Assert.SkipWhen(!OperatingSystem.IsLinux(), "the actuator is Linux's");
        using ScratchFolder folder = new();
        await using HostileAggregator hostile = await HostileAggregator.StartAsync();
        string[] uplink = [$"uplink.aggregator={hostile.Address}", "uplink.plaintext_node=victim"];

        // The node allows all there is: what keeps the hostile one out is that nobody signed for it.
        string rules = string.Join(",\n", CommandCatalogue.All.Select(row => $$""" "{{row.Name}}": { "allow": true, "values": { {{ListsOf(row)}} } } """));
        string diagnostics = $$""" "diagnostics": { "mark": { "argv": ["/usr/bin/mktemp", "-p", "{{folder.Path}}", "{{Marker}}.XXXXXX"] } }, """;
        using LocalActuator actuator = await LocalActuator.StartAsync(folder.Path, rules, diagnostics, uplink);
        using RealProcess agent = RealProcess.Start("agent", Repository.AgentProgram,
            ["run", "--set", uplink[0], "--set", uplink[1], "--set", LocalActuator.SettingIn(folder.Path), "--set", $"spool.directory={folder.Path}/spool"]);
        ActuatorReport victim = await hostile.Report.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        // A command that an operator once signed, and that was carried out: the hostile one has recorded it.
        ByteString recorded = new CommandSigner(actuator.Key, CommandIdentity.FleetOf("local")).Sign(Payload(victim, CommandCatalogue.All.First(row => row.Name == "no_op"), 1)).ToByteString();
        Assert.Equal(CommandOutcome.Done, (await hostile.DeliverAsync(recorded)).Result.Outcome);

        using ECDsa own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        int tries = 0;
        foreach (CommandDescription row in CommandCatalogue.All)
        {
            foreach (SignedCommand attempt in Attempts(victim, row, own, SignedCommand.Parser.ParseFrom(recorded)))
            {
                tries++;
                CommandAnswer answer = await hostile.DeliverAsync(attempt.ToByteString());
                bool onlyRead = row.Risk == RiskClass.R0 || answer.Result.Outcome == CommandOutcome.DryRun;
                Assert.True(answer.Result.Refusal.Length > 0 || onlyRead, $"{row.Name}: {answer.Result}");
            }
        }

        // Noise that is no command, and words that an aggregator may say.
        hostile.Send(new AggregatorMessage { Command = new CommandDelivery() });
        hostile.Send(new AggregatorMessage { Settled = new CommandsSettled { CommandIds = { ByteString.CopyFromUtf8("nonsense") } } });
        hostile.Send(new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = ulong.MaxValue } });
        Assert.Equal("too-large", (await hostile.DeliverAsync(ByteString.CopyFrom(new byte[20_000]))).Result.Refusal);
        Assert.Equal("replayed", (await hostile.DeliverAsync(recorded)).Result.Refusal);

        Assert.True(tries > 100, $"{tries} tries");
        // The two readings that nobody signed and nobody needs to: each once.
        Assert.Equal(2, Directory.EnumerateFiles(folder.Path, Marker + ".*").Count());
        int frames = Volatile.Read(ref hostile.Frames);
        await Waiting.ForAsync("more telemetry", TimeSpan.FromSeconds(30), () => Task.FromResult(Volatile.Read(ref hostile.Frames) > frames ? "yes" : null));
        Assert.False(agent.HasExited);
        Assert.False(actuator.Process!.HasExited);

        // And it has not shut the operators out.
        ByteString next = new CommandSigner(actuator.Key, CommandIdentity.FleetOf("local")).Sign(Payload(victim, CommandCatalogue.All.First(row => row.Name == "no_op"), 2)).ToByteString();
        Assert.Equal(CommandOutcome.Done, (await hostile.DeliverAsync(next)).Result.Outcome);
    }

    // The payload as an operator would sign it; then nobody, itself, an operator's name, an operator's signature of something else.
    private static IEnumerable<SignedCommand> Attempts(ActuatorReport victim, CommandDescription row, ECDsa own, SignedCommand genuine)
    {
        ByteString honest = Payload(victim, row, ulong.MaxValue - 1).ToByteString();
        yield return new SignedCommand { Payload = honest };
        foreach (Action<Command> change in (Action<Command>[])[command => command.Risk = RiskClass.R0, command => command.DryRun = true, command => command.AgentId = CommandEnvelope.ToBytes(Guid.NewGuid())])
        {
            Command command = Payload(victim, row, 9);
            change(command);
            yield return new SignedCommand { Payload = command.ToByteString() };
        }

        SignedCommand self = new() { Payload = honest };
        new CommandSigner(own, CommandIdentity.FleetOf("local")).AddTo(self);
        if (row.Risk > RiskClass.R0) yield return self;
        SignedCommand stolen = self.Clone();
        stolen.Signatures[0].KeyId = genuine.Signatures[0].KeyId;
        if (row.Risk > RiskClass.R0) yield return stolen;
        yield return new SignedCommand { Payload = honest, Signatures = { genuine.Signatures[0] } };
        yield return new SignedCommand { Payload = honest, Signatures = { genuine.Signatures[0], self.Signatures[0] } };
        yield return new SignedCommand { Payload = honest, Signatures = { new CommandSignature() } };
        yield return genuine;
    }

    private static Command Payload(ActuatorReport victim, CommandDescription row, ulong sequence)
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        Command command = new()
        {
            CommandId = CommandEnvelope.ToBytes(Guid.NewGuid()),
            AgentId = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(victim.Fleet, victim.Node, victim.Incarnation.Span)),
            Sequence = sequence,
            NotBeforeUnixMs = now - 60_000,
            NotAfterUnixMs = now + 600_000,
            Risk = row.Risk,
            TtlMs = row.TtlRequired ? 60_000UL : 0,
            Reason = "because",
            Nonce = CommandEnvelope.ToBytes(Guid.NewGuid()),
        };
        var field = Command.Descriptor.FindFieldByName(row.Name);
        IMessage action = field.MessageType.Parser.ParseFrom(ByteString.Empty);
        field.Accessor.SetValue(command, action);
        if (command.Diagnose is { } diagnose) diagnose.Name = "mark";
        return command;
    }

    private static string ListsOf(CommandDescription row) =>
        string.Join(", ", row.Parameters.Where(parameter => parameter.MustBeListed).Select(parameter => $"\"{parameter.Name}\": [\"/*\"]"));
}
