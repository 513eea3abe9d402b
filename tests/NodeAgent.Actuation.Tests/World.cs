using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using NodeAgent.Actuation.Ledger;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests;

/// <summary>
/// A node whose actuator process comes and goes, on a simulated disk: what was done to it is counted outside the process, as in life. And
/// two operators who sign.
/// </summary>
internal sealed class World : IAgentFacts, IDisposable
{
    internal const string Before = "schedutil";

    private readonly ECDsa _anna = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _ben = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private ulong _sequence;

    internal World(int seed = 1, string rules = "", string top = "")
    {
        Disk = new SimulatedDisk(seed);
        Policy = PolicyOf(rules, top);
        Restart();
    }

    internal SimulatedDisk Disk { get; }

    internal SimulatedTime Time { get; } = new();

    internal ActuationPolicy Policy { get; }

    internal LedgerOptions Options { get; set; } = new() { Directory = "/ledger", SegmentBytes = 128 * 1024, CompactBytes = 256 * 1024, KeepRecords = 40 };

    /// <summary>How often each command was really done.</summary>
    internal Dictionary<Guid, int> Executions { get; } = [];

    /// <summary>The node's governor: what the setting changes.</summary>
    internal string Governor { get; set; } = Before;

    /// <summary>Die inside the next act, before or after its effect.</summary>
    internal bool? DieInAct { get; set; }

    internal StepResult? ActGives { get; set; }

    /// <summary>The next act hangs: called inside it, on its thread.</summary>
    internal Action? HangInAct { get; set; }

    internal StepResult? VerifyGives { get; set; }

    internal bool UndoFails { get; set; }

    internal KillingFiles Files { get; private set; } = null!;

    internal CommandLedger Ledger { get; private set; } = null!;

    internal CommandRunner Runner { get; private set; } = null!;

    public Guid Agent { get; } = Guid.Parse("0191d0c8-0000-7000-8000-00000000000a");

    public Guid Fleet { get; } = Guid.Parse("0191d0c8-0000-7000-8000-00000000000f");

    public string BootId { get; set; } = "boot-1";

    public bool IsClockSynchronised => true;

    /// <summary>The process ends without a word, or the power is cut; and nothing is started.</summary>
    internal void Kill(bool power)
    {
        if (power) Disk.CutPower();
        else Disk.KillProcess();
    }

    /// <summary>A new process on what is there. Throws <see cref="Killed"/> when it dies on the way.</summary>
    internal void Restart(long killAt = 0, bool after = false)
    {
        Files = new KillingFiles(Disk) { KillAt = killAt, After = after };
        if (!TryOpen(out string problem)) throw new InvalidOperationException(problem);
        Runner.CloseInterrupted();
    }

    internal bool TryOpen(out string problem)
    {
        bool opened = CommandLedger.TryOpen(Agent, Options, Files, Time, out CommandLedger? ledger, out OpenError? error);
        problem = error?.Message ?? "";
        if (!opened) return false;
        Ledger = ledger!;
        Runner = new CommandRunner(Ledger, Policy, [new FakeRestart(this), new FakeGovernor(this), new FakeReboot(this)], this, Time);
        return true;
    }

    internal byte[] Restarting(Action<Command>? change = null) => Sign(Build(command =>
    {
        command.ServiceRestart = new ServiceRestart { Unit = "slurmd.service" };
        command.Risk = RiskClass.R2;
        change?.Invoke(command);
    }));

    internal byte[] Setting(string governor, TimeSpan ttl, Action<Command>? change = null) => Sign(Build(command =>
    {
        command.CpuGovernor = new CpuGovernor { Governor = governor };
        command.Risk = RiskClass.R1;
        command.TtlMs = (ulong)ttl.TotalMilliseconds;
        change?.Invoke(command);
    }));

    internal byte[] Rebooting() => Sign(
        Build(command =>
        {
            command.Reboot = new Reboot();
            command.Risk = RiskClass.R3;
        }),
        both: true);

    internal async Task<CommandResult> RunAsync(byte[] envelope) => await Runner.RunAsync(envelope);

    internal static Guid IdOf(byte[] envelope) =>
        CommandEnvelope.ToGuid(Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(envelope).Payload).CommandId);

    internal AuditReport Verify(params AuditHead[] heads) => Ledger.Verify(heads);

    public void Dispose()
    {
        Runner.Dispose();
        _anna.Dispose();
        _ben.Dispose();
    }

    internal Command Build(Action<Command> change)
    {
        long now = Time.GetUtcNow().ToUnixTimeMilliseconds();
        Command command = new()
        {
            CommandId = CommandEnvelope.ToBytes(CommandEnvelope.NewId(Time.GetUtcNow())),
            AgentId = CommandEnvelope.ToBytes(Agent),
            Sequence = ++_sequence,
            NotBeforeUnixMs = now,
            NotAfterUnixMs = now + (15 * 60_000),
            Reason = "test",
            Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
        };
        change(command);
        return command;
    }

    internal byte[] Sign(Command command, bool both = false)
    {
        SignedCommand envelope = new CommandSigner(_anna, Fleet).Sign(command);
        if (both) new CommandSigner(_ben, Fleet).AddTo(envelope);
        return envelope.ToByteArray();
    }

    private ActuationPolicy PolicyOf(string rules, string top)
    {
        string limits = "\"max_per_hour\": 60, \"max_per_day\": 480";
        string text = $$"""
            { "version": 1, {{top}}
              "trust": [ { "owner": "anna", "public_key": "{{Key(_anna)}}", "max_risk": "R3" }, { "owner": "ben", "public_key": "{{Key(_ben)}}", "max_risk": "R3" } ],
              "commands": { {{(rules.Length > 0 ? rules : $$"""
                "service_restart": { "allow": true, "values": { "unit": ["slurmd.service"] }, {{limits}} },
                "cpu_governor": { "allow": true, {{limits}} },
                "reboot": { "allow": true }
                """)}} } }
            """;
        Assert.True(PolicyReader.TryParse(Encoding.UTF8.GetBytes(text), out ActuationPolicy? policy, out IReadOnlyList<string> errors), string.Join('\n', errors));
        return policy;
    }

    private static string Key(ECDsa key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

    private StepResult Do(Command command, Action effect)
    {
        if (DieInAct == false) throw new Killed();
        Guid id = CommandEnvelope.ToGuid(command.CommandId);
        Executions[id] = Executions.GetValueOrDefault(id) + 1;
        effect();
        HangInAct?.Invoke();
        return DieInAct == true ? throw new Killed() : ActGives ?? StepResult.Good("done");
    }

    private sealed class FakeRestart(World world) : IActuator
    {
        public Command.ActionOneofCase Action => Command.ActionOneofCase.ServiceRestart;

        public Preparation Prepare(Command command, CancellationToken deadline) => new([new Precondition("unit-loaded", true, "loaded")]);

        public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) => world.Do(command, () => { });

        public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) => world.VerifyGives ?? StepResult.Good("active");

        public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a restart cannot be undone");
    }

    private sealed class FakeGovernor(World world) : IActuator
    {
        public Command.ActionOneofCase Action => Command.ActionOneofCase.CpuGovernor;

        public Preparation Prepare(Command command, CancellationToken deadline) =>
            new([new Precondition("governor-available", true, "all")], new UndoPlan { Target = "cpu-governor", Steps = { new UndoStep { Key = "governor", Value = world.Governor } } });

        public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) =>
            world.Do(command, () => world.Governor = command.CpuGovernor.Governor);

        public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) =>
            world.VerifyGives ?? (world.Governor == command.CpuGovernor.Governor ? StepResult.Good("reads back") : StepResult.Bad($"it is {world.Governor}"));

        public StepResult Undo(UndoPlan plan, CancellationToken deadline)
        {
            if (world.UndoFails) return StepResult.Bad("no");
            world.Governor = plan.Steps[0].Value;
            return StepResult.Good("as before");
        }
    }

    private sealed class FakeReboot(World world) : IActuator
    {
        public Command.ActionOneofCase Action => Command.ActionOneofCase.Reboot;

        public Preparation Prepare(Command command, CancellationToken deadline) => new([new Precondition("drained", true, "nobody is here")]);

        // As in life: the process does not live to tell.
        public StepResult Act(Command command, Preparation prepared, CancellationToken deadline) => world.Do(command, () => throw new Killed());

        public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline) => StepResult.Bad("still the same boot");

        public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a reboot cannot be undone");
    }
}
