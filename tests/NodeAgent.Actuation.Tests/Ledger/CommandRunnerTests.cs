using Google.Protobuf;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Ledger;

public sealed class CommandRunnerTests : IDisposable
{
    private readonly World _world = new();

    [Fact]
    public async Task Run_SentTwiceAndAfterARestart_IsDoneOnce()
    {
        byte[] envelope = _world.Restarting();

        Assert.Equal(CommandOutcome.Done, (await _world.RunAsync(envelope)).Outcome);
        Assert.Equal("replayed", (await _world.RunAsync(envelope)).Refusal);
        _world.Kill(power: true);
        _world.Restart();
        Assert.Equal("replayed", (await _world.RunAsync(envelope)).Refusal);
        Assert.Equal(1, _world.Executions[World.IdOf(envelope)]);
    }

    [Fact]
    public async Task Run_LowerSequenceAfterARestart_IsRefusedForItself()
    {
        byte[] late = _world.Restarting();
        await _world.RunAsync(_world.Restarting());
        _world.Kill(power: false);
        _world.Restart();

        Assert.Equal("sequence-too-low", (await _world.RunAsync(late)).Refusal);
    }

    [Fact]
    public async Task Run_UnsignedReadWithTheHighestSequence_UsesUpNoNumbers()
    {
        SignedCommand forged = new()
        {
            Payload = _world.Build(command =>
            {
                command.Diagnose = new Diagnose { Name = "uptime" };
                command.Risk = RiskClass.R0;
                command.Sequence = ulong.MaxValue;
            }).ToByteString(),
        };
        await _world.RunAsync(forged.ToByteArray());

        Assert.Equal(CommandOutcome.Done, (await _world.RunAsync(_world.Restarting())).Outcome);
    }

    [Fact]
    public async Task DryRun_ListsThePreconditionsAndConsumesNothing()
    {
        byte[] dry = _world.Restarting(command => command.DryRun = true);
        CommandResult result = await _world.RunAsync(dry);

        Assert.Equal(CommandOutcome.DryRun, result.Outcome);
        Assert.Equal("unit-loaded", Assert.Single(result.Preconditions).Name);
        Assert.Empty(_world.Executions);
        Assert.Equal(0ul, _world.Ledger.HighestSequence);
    }

    [Fact]
    public async Task Setting_WhenItsTimeIsUp_RevertsByItselfAlsoAfterARestart()
    {
        CommandResult result = await _world.RunAsync(_world.Setting("performance", TimeSpan.FromMinutes(5)));
        Assert.Equal("performance", _world.Governor);
        Assert.Equal(_world.Time.GetUtcNow().ToUnixTimeMilliseconds() + 300_000, result.RevertsAtUnixMs);
        _world.Kill(power: true);
        _world.Restart();

        _world.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(0, await _world.Runner.RevertDueAsync());
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, await _world.Runner.RevertDueAsync());
        Assert.Equal(World.Before, _world.Governor);
        Assert.Equal(0, await _world.Runner.RevertDueAsync());
    }

    [Fact]
    public async Task Setting_WhenTheWallClockIsSetBack_StillReverts()
    {
        await _world.RunAsync(_world.Setting("performance", TimeSpan.FromMinutes(5)));
        Assert.Empty(_world.Ledger.DueSettings());
        _world.Time.StepWallClock(TimeSpan.FromDays(-1));
        _world.Time.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(1, await _world.Runner.RevertDueAsync());
        Assert.Equal(World.Before, _world.Governor);
    }

    [Fact]
    public async Task Setting_OnTopOfAnother_GoesBackToWhatWasBeforeBoth()
    {
        await _world.RunAsync(_world.Setting("performance", TimeSpan.FromMinutes(5)));
        await _world.RunAsync(_world.Setting("powersave", TimeSpan.FromMinutes(10)));

        _world.Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(0, await _world.Runner.RevertDueAsync());
        Assert.Equal("powersave", _world.Governor);
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.Runner.RevertDueAsync();
        Assert.Equal(World.Before, _world.Governor);
    }

    [Fact]
    public async Task Setting_ThatDoesNotReadBack_IsPutBackAtOnceAndLeavesTheOlderOneItsTime()
    {
        await _world.RunAsync(_world.Setting("performance", TimeSpan.FromMinutes(5)));
        _world.VerifyGives = StepResult.Bad("the driver said yes and did nothing");
        CommandResult result = await _world.RunAsync(_world.Setting("powersave", TimeSpan.FromMinutes(10)));

        Assert.Equal((CommandOutcome.Failed, "performance"), (result.Outcome, _world.Governor));
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(1, await _world.Runner.RevertDueAsync());
        Assert.Equal(World.Before, _world.Governor);
    }

    [Fact]
    public async Task Revert_ThatFails_IsTriedAgainLaterAndNotInBetween()
    {
        await _world.RunAsync(_world.Setting("performance", TimeSpan.FromMinutes(1)));
        _world.UndoFails = true;
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await _world.Runner.RevertDueAsync());
        _world.UndoFails = false;

        Assert.Equal(0, await _world.Runner.RevertDueAsync());
        _world.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(1, await _world.Runner.RevertDueAsync());
    }

    [Fact]
    public async Task Run_WhileTheDiskFails_DoesNothingAndSaysSo()
    {
        _world.Disk.Fault = new DiskFault(DiskFaultKind.Error, _world.Disk.Calls + 1, Errno.NoSpace, int.MaxValue);
        byte[] envelope = _world.Restarting();

        Assert.Equal("journal-failed", (await _world.RunAsync(envelope)).Refusal);
        Assert.Empty(_world.Executions);
        _world.Disk.Fault = null;
        _world.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("replayed", (await _world.RunAsync(envelope)).Refusal);
        Assert.Equal(CommandOutcome.Done, (await _world.RunAsync(_world.Restarting())).Outcome);
        Assert.True(_world.Ledger.TryGetOutcome(World.IdOf(envelope), out CommandOutcome outcome));
        Assert.Equal(CommandOutcome.Failed, outcome);
    }

    [Fact]
    public async Task Run_AfterRecordsOfTheJournalWereTakenOut_RefusesAllButReading()
    {
        for (int i = 0; i < 6; i++) await _world.RunAsync(_world.Restarting());
        _world.Kill(power: false);
        string segment = _world.Disk.Paths.First(path => path.EndsWith(".segment", StringComparison.Ordinal));
        _world.Disk.FlipBit(segment, 900, 3);
        _world.Restart();

        Assert.NotNull(_world.Ledger.Damage);
        Assert.Equal("journal-damaged", (await _world.RunAsync(_world.Restarting())).Refusal);
        Assert.Equal(CommandOutcome.DryRun, (await _world.RunAsync(_world.Restarting(command => command.DryRun = true))).Outcome);
    }

    [Fact]
    public async Task Act_ThatNeverComesBack_IsInterruptedAndOnlyReadingGoesOnUntilARestart()
    {
        using ManualResetEventSlim entered = new();
        using ManualResetEventSlim released = new();
        _world.HangInAct = () =>
        {
            entered.Set();
            released.Wait();
        };
        byte[] envelope = _world.Setting("performance", TimeSpan.FromMinutes(5));
        Task<CommandResult> running = _world.RunAsync(envelope);
        Assert.True(entered.Wait(TimeSpan.FromSeconds(60)));
        // The runner begins to wait after the act has begun: until then there is no timer that could fire.
        while (!running.IsCompleted) _world.Time.Advance(TimeSpan.FromSeconds(12));

        Assert.Equal(CommandOutcome.Interrupted, (await running).Outcome);
        _world.HangInAct = null;
        Assert.Equal("stuck", (await _world.RunAsync(_world.Restarting())).Refusal);
        released.Set();
        _world.Kill(power: true);
        _world.Restart();
        Assert.Equal("replayed", (await _world.RunAsync(envelope)).Refusal);
        _world.Time.Advance(TimeSpan.FromMinutes(6));
        await _world.Runner.RevertDueAsync();
        Assert.Equal((1, World.Before), (_world.Executions[World.IdOf(envelope)], _world.Governor));
        Assert.Equal(CommandOutcome.Done, (await _world.RunAsync(_world.Restarting())).Outcome);
    }

    [Fact]
    public async Task Limits_HoldForValidCommandsAndOverARestart()
    {
        using World world = new(rules: """ "service_restart": { "allow": true, "values": { "unit": ["slurmd.service"] } }, "cpu_governor": { "allow": true } """);
        for (int i = 0; i < 4; i++) Assert.Equal(CommandOutcome.Done, (await world.RunAsync(world.Restarting())).Outcome);
        world.Kill(power: true);
        world.Restart();

        Assert.Equal("limit-reached", (await world.RunAsync(world.Restarting())).Refusal);
        Assert.Equal(CommandOutcome.Done, (await world.RunAsync(world.Setting("performance", TimeSpan.FromMinutes(1)))).Outcome);
        world.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(CommandOutcome.Done, (await world.RunAsync(world.Restarting())).Outcome);
    }

    [Fact]
    public async Task Limits_OfAllKindsTogether_Hold()
    {
        using World world = new(top: "\"max_per_hour\": 3,");
        for (int i = 0; i < 3; i++) Assert.Equal(CommandOutcome.Done, (await world.RunAsync(i == 1 ? world.Restarting() : world.Setting("performance", TimeSpan.FromMinutes(1)))).Outcome);

        CommandResult result = await world.RunAsync(world.Restarting());
        Assert.Equal("limit-reached", result.Refusal);
        Assert.Contains("all kinds", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_InAFlood_AreCountedAndDoNotFillTheDisk()
    {
        for (int i = 0; i < 500; i++) await _world.RunAsync([1, 2, 3]);

        Assert.Equal(60ul, _world.Ledger.Head.Index);
        Assert.Equal(440ul, _world.Ledger.RefusalsNotWritten);
    }

    [Fact]
    public async Task Audit_HoldsIntentAndFinishOfEveryCommandAndEveryRefusal()
    {
        byte[] envelope = _world.Restarting();
        await _world.RunAsync(envelope);
        await _world.RunAsync(envelope);
        List<AuditRecord> records = [];
        _world.Ledger.Read(1, (_, record) => records.Add(record));

        Assert.Equal(
            [AuditRecord.BodyOneofCase.Intent, AuditRecord.BodyOneofCase.Finish, AuditRecord.BodyOneofCase.Refused], records.Select(record => record.BodyCase));
        Assert.Equal(("anna", "replayed"), (records[0].Intent.Signers.Single(), records[2].Refused.Refusal));
        Assert.Equal(envelope, records[0].Intent.Envelope.ToByteArray());
    }

    public void Dispose() => _world.Dispose();
}
