using System.Net.Sockets;
using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Actuation.Local;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.Commands.Local;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Local;

public sealed class ActuatorServerTests : IAsyncLifetime
{
    private readonly ServedWorld _served = new();

    private World World => _served.World;

    public ValueTask InitializeAsync()
    {
        _served.Start();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _served.DisposeAsync();

    [Fact]
    public void Run_OverTheSocket_TellsItsStagesAndItsEnd()
    {
        byte[] envelope = World.Restarting();
        List<CommandStage> stages = [];
        using ActuatorClient client = _served.Connect();

        CommandAnswer answer = client.Run(new RunCommand { Envelope = ByteString.CopyFrom(envelope) }, progress => stages.Add(progress.Stage));

        Assert.Equal(CommandOutcome.Done, answer.Result.Outcome);
        Assert.Equal([CommandStage.Verified, CommandStage.Consumed, CommandStage.Acted], stages);
        Assert.Equal(World.Ledger.Head, AuditRecords.FromMessage(answer.Head));
        Assert.Equal(1, World.Executions[World.IdOf(envelope)]);
    }

    [Fact]
    public async Task Results_StayUntilTheAggregatorHasThem_AlsoOverARestart()
    {
        byte[] first = World.Restarting();
        byte[] second = World.Restarting();
        _served.Run(first);
        _served.Run(second);
        await _served.RestartAsync();
        using (ActuatorClient client = _served.Connect())
        {
            UnreportedResults owed = client.Unreported();
            Assert.Equal([World.IdOf(first), World.IdOf(second)], owed.Results.Select(result => CommandEnvelope.ToGuid(result.CommandId)));
            Assert.All(owed.Results, result => Assert.Equal("unit-loaded", result.Preconditions.Single().Name));
            client.Reported(new ResultsReported { CommandIds = { owed.Results[0].CommandId } });
            Assert.Single(client.Unreported().Results);
        }

        World.Ledger.WriteReported();
        await _served.RestartAsync();
        using ActuatorClient again = _served.Connect();
        Assert.Equal(World.IdOf(second), CommandEnvelope.ToGuid(Assert.Single(again.Unreported().Results).CommandId));
    }

    [Fact]
    public async Task Run_SentAgainAfterARestart_IsRefusedAndSaysWhatBecameOfIt()
    {
        byte[] envelope = World.Restarting();
        _served.Run(envelope);
        await _served.RestartAsync();

        CommandAnswer again = _served.Run(envelope);

        Assert.Equal("replayed", again.Result.Refusal);
        Assert.Equal(CommandOutcome.Done, again.Earlier.Outcome);
        Assert.Equal(1, World.Executions[World.IdOf(envelope)]);
    }

    [Fact]
    public async Task Envelopes_ThatAreNotWhatTheySay_AreRefusedEachForItsReasonAndAudited()
    {
        byte[] good = World.Restarting();
        _served.Run(good);
        SignedCommand twice = SignedCommand.Parser.ParseFrom(World.Restarting());
        twice.Signatures.Add(twice.Signatures[0].Clone());
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        SignedCommand foreign = new CommandSigner(stranger, World.Fleet).Sign(Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(World.Restarting()).Payload));
        byte[] late = World.Restarting(command => command.Sequence = 1);
        long now = World.Time.GetUtcNow().ToUnixTimeMilliseconds();
        List<(string Reason, byte[] Envelope)> tries =
        [
            ("unknown-key", foreign.ToByteArray()),
            ("signer-twice", twice.ToByteArray()),
            ("wrong-agent", World.Restarting(command => command.AgentId = CommandEnvelope.ToBytes(Guid.NewGuid()))),
            ("expired", World.Restarting(command => (command.NotBeforeUnixMs, command.NotAfterUnixMs) = (now - 600_000, now - 1))),
            ("not-yet-valid", World.Restarting(command => (command.NotBeforeUnixMs, command.NotAfterUnixMs) = (now + 60_000, now + 600_000))),
            ("window-too-long", World.Restarting(command => command.NotAfterUnixMs = command.NotBeforeUnixMs + 901_000)),
            ("wrong-boot", World.Restarting(command => command.ExpectedBootId = "another")),
            ("sequence-too-low", late),
            ("wrong-risk", World.Restarting(command => command.Risk = RiskClass.R1)),
            ("too-large", new byte[17 * 1024]),
            ("malformed", [1, 2, 3]),
            ("replayed", good),
        ];

        foreach ((string reason, byte[] envelope) in tries) Assert.Equal(reason, _served.Run(envelope).Result.Refusal);
        await _served.RestartAsync();
        foreach ((string reason, byte[] envelope) in tries) Assert.Equal(reason, _served.Run(envelope).Result.Refusal);

        List<string> audited = [];
        World.Ledger.Read(1, (_, record) =>
        {
            if (record.BodyCase == AuditRecord.BodyOneofCase.Refused) audited.Add(record.Refused.Refusal);
        });
        Assert.All(tries, attempt => Assert.Equal(2, audited.Count(reason => reason == attempt.Reason)));
        Assert.Equal(1, World.Executions.Values.Sum());
    }

    [Fact]
    public void EveryByteOfAnEnvelope_Altered_IsRefusedAndNothingIsDone()
    {
        byte[] envelope = World.Restarting();
        using ActuatorClient client = _served.Connect();
        for (int place = 0; place < envelope.Length; place++)
        {
            byte[] altered = [.. envelope];
            altered[place] ^= 1;
            CommandAnswer answer = client.Run(new RunCommand { Envelope = ByteString.CopyFrom(altered) }, _ => { });
            Assert.True(answer.Result.Refusal.Length > 0, $"byte {place}: {answer.Result}");
        }

        Assert.Empty(World.Executions);
        Assert.Equal(CommandOutcome.Done, _served.Run(envelope).Result.Outcome);
    }

    [Fact]
    public async Task Callers_WhoMayNotAsk_AreTurnedAwayUnheard()
    {
        await _served.StopAsync();
        _served.MayAsk = static _ => false;
        _served.Start();

        Assert.Throws<IOException>(() => _served.Run(World.Restarting()));
        Assert.Empty(World.Executions);
        lock (_served.RefusedUsers) Assert.Equal([(uint?)PeerCredentials.Own], _served.RefusedUsers);
    }

    [Fact]
    public void Garbage_OnTheSocket_CostsOnlyItsConnection()
    {
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(5);
        for (int i = 0; i < 300; i++)
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(_served.SocketPath));
            byte[] bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            if (i % 3 == 0) bytes = [(byte)(bytes.Length & 0x7f), 0, 0, 0, .. bytes];
            socket.Send(bytes);
        }
#pragma warning restore CA5394

        Assert.Equal(CommandOutcome.Done, _served.Run(World.Restarting()).Result.Outcome);
    }

    [Fact]
    public void Audit_ReadOverTheSocket_IsWholeAndEveryAlterationOfItIsFound()
    {
        for (int i = 0; i < 4; i++) _served.Run(World.Restarting());
        using ActuatorClient client = _served.Connect();
        AuditPage page = client.Audit(1);
        AuditHead head = AuditRecords.FromMessage(page.Head)!;
        Assert.Empty(Walk(page.Records).Findings);

        for (int i = 0; i < page.Records.Count; i++)
        {
            AuditLinkRecord altered = page.Records[i].Clone();
            altered.Record = ByteString.CopyFrom([.. altered.Record.Span[..^1], (byte)(altered.Record[^1] ^ 1)]);
            Assert.NotEmpty(Walk([.. page.Records.Take(i), altered, .. page.Records.Skip(i + 1)]).Findings);
            Assert.NotEmpty(Walk([.. page.Records.Take(i), .. page.Records.Skip(i + 1)]).Findings); // taken out, or cut off the end
            Assert.NotEmpty(Walk([.. page.Records.Take(i)]).Findings);
        }

        AuditReport Walk(IEnumerable<AuditLinkRecord> records)
        {
            AuditWalk walk = new(CommandEnvelope.ToGuid(page.Owner), [head]);
            foreach (AuditLinkRecord record in records) AuditRecords.AddTo(walk, record);
            return walk.Finish();
        }
    }

    [Fact]
    public async Task Idle_WithASettingToPutBack_StaysAndWithoutOneLeaves()
    {
        await _served.StopAsync();
        _served.Start(idle: TimeSpan.FromSeconds(1));
        _served.Run(World.Setting("performance", TimeSpan.FromMinutes(1)));

        // Longer than it would wait for somebody who asks.
        await Assert.ThrowsAsync<TimeoutException>(() => _served.Running.WaitAsync(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken));
        World.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(ActuatorEnd.Idle, await _served.Running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(World.Before, World.Governor);
    }

    [Fact]
    public async Task Stuck_CommandThatNeverComesBack_EndsTheServer()
    {
        using ManualResetEventSlim never = new();
        using ManualResetEventSlim entered = new();
        World.HangInAct = () =>
        {
            entered.Set();
            never.Wait(TestContext.Current.CancellationToken);
        };
        Task<CommandAnswer> running = Task.Run(() => _served.Run(World.Restarting()), TestContext.Current.CancellationToken);
        entered.Wait(TestContext.Current.CancellationToken);
        while (!running.IsCompleted) World.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(CommandOutcome.Interrupted, (await running).Result.Outcome);
        Assert.Equal(ActuatorEnd.Stuck, await _served.Running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        never.Set();
    }
}
