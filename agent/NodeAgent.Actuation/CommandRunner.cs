using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.Actuation.Ledger;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation;

/// <summary>
/// Takes an envelope all the way: checks, preconditions, limits, intent on disk, the act, reading back, result on disk. One command at a
/// time. Whatever dies in the middle, no command is acted upon twice.
/// <para>
/// An act that does not come back by its deadline is given up on, and with it this runner: it takes only what reads, until the process is
/// started again. Whoever hosts it should do that at once when <see cref="IsStuck"/>.
/// </para>
/// </summary>
public sealed class CommandRunner : IDisposable
{
    private static readonly TimeSpan UndoDeadline = TimeSpan.FromSeconds(30);

    private readonly CommandLedger _ledger;
    private readonly ActuationPolicy _policy;
    private readonly EnvelopeVerifier _verifier;
    private readonly Dictionary<Command.ActionOneofCase, IActuator> _actuators;
    private readonly IAgentFacts _facts;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    public CommandRunner(CommandLedger ledger, ActuationPolicy policy, IEnumerable<IActuator> actuators, IAgentFacts facts, TimeProvider time)
    {
        _ledger = ledger;
        _policy = policy;
        _verifier = new EnvelopeVerifier(policy, ledger, facts, time);
        _actuators = actuators.ToDictionary(actuator => actuator.Action);
        _facts = facts;
        _time = time;
    }

    /// <summary>Something never came back.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>
    /// Closes what an earlier life left open; call it before the first command. A reboot that is followed by another boot is done. All else
    /// is "interrupted": nobody knows whether it happened, and it is not run again.
    /// </summary>
    public void CloseInterrupted()
    {
        foreach (CommandIntent intent in _ledger.Unfinished.ToList())
        {
            bool rebooted = intent.Kind == "reboot" && intent.BootId.Length > 0 && _facts.BootId.Length > 0 && intent.BootId != _facts.BootId;
            _ledger.Finish(
                CommandEnvelope.ToGuid(intent.CommandId),
                rebooted ? CommandOutcome.Done : CommandOutcome.Interrupted,
                rebooted ? $"boot {intent.BootId} became {_facts.BootId}" : "the actuator ended in the middle; it may have happened or not, and is not run again by itself");
        }
    }

    /// <summary>Checks and does what an envelope asks for. Every failure is in the result.</summary>
    /// <param name="envelope">An encoded SignedCommand.</param>
    /// <param name="progress">Told of each stage; must return soon.</param>
    /// <param name="cancellation">Ends the waiting for an earlier command; what has begun is not ended.</param>
    public async Task<CommandResult> RunAsync(ReadOnlyMemory<byte> envelope, Action<CommandStage>? progress = null, CancellationToken cancellation = default)
    {
        await _oneAtATime.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            Verdict verdict = _verifier.Verify(envelope.Span);
            return verdict.Accepted is { } accepted
                ? await RunAcceptedAsync(accepted, envelope, progress).ConfigureAwait(false)
                : Refuse(verdict.Refusal, verdict.Detail, verdict.Id, envelope.Span);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Puts back every setting whose time is up. To be called at a start and then whenever one is due; at least once a second costs nothing.</summary>
    public async Task<int> RevertDueAsync(CancellationToken cancellation = default)
    {
        await _oneAtATime.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            int reverted = 0;
            foreach (ActiveSetting setting in _ledger.DueSettings())
            {
                if (IsStuck) break;
                StepResult result = await UndoAsync(setting.Kind, setting.Undo).ConfigureAwait(false);
                _ledger.Reverted(setting, result.Ok, result.Detail);
                if (result.Ok) reverted++;
            }

            return reverted;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<CommandResult> RunAcceptedAsync(VerifiedCommand accepted, ReadOnlyMemory<byte> envelope, Action<CommandStage>? progress)
    {
        if (RefusalOf(accepted) is { } refusal) return Refuse(refusal.Refusal, refusal.Detail, accepted.Id, envelope.Span);
        if (!_actuators.TryGetValue(accepted.Command.ActionCase, out IActuator? actuator))
        {
            return Refuse(CommandRefusal.UnknownCommand, $"{accepted.Description.Name} cannot be done on this node", accepted.Id, envelope.Span);
        }

        progress?.Invoke(CommandStage.Verified);
        using CancellationTokenSource deadline = new(accepted.Description.Deadline, _time);
        (bool inTime, Preparation? prepared) = await BoundedAsync(() => actuator.Prepare(accepted.Command, deadline.Token), accepted.Description.Deadline).ConfigureAwait(false);
        if (!inTime) return Answer(accepted, CommandOutcome.Failed, "the preconditions could not be looked at in time; nothing was done", [], 0);
        if (accepted.Command.DryRun) return Answer(accepted, CommandOutcome.DryRun, "nothing was done", prepared!.Preconditions, 0);

        return await ConsumeAsync(accepted, envelope, actuator, prepared!, progress, deadline.Token).ConfigureAwait(false);
    }

    private (CommandRefusal Refusal, string Detail)? RefusalOf(VerifiedCommand accepted)
    {
        bool onlyReads = accepted.Description.Risk == RiskClass.R0 || accepted.Command.DryRun;
        if (IsStuck) return (CommandRefusal.Stuck, "an earlier command never came back; the actuator must be started again first");
        if (_ledger.Damage is { } damage && !onlyReads) return (CommandRefusal.JournalDamaged, damage);
        if (accepted.Command.DryRun) return null;

        AttemptCap cap = _policy.CapOf(accepted.Description);
        string name = accepted.Description.Name;
        int hour = _ledger.Attempts(name, TimeSpan.FromHours(1));
        if (hour >= cap.PerHour) return (CommandRefusal.LimitReached, $"{name} was tried {hour} times in the last hour; this node allows {cap.PerHour}");
        int day = _ledger.Attempts(name, TimeSpan.FromDays(1));
        if (day >= cap.PerDay) return (CommandRefusal.LimitReached, $"{name} was tried {day} times in the last day; this node allows {cap.PerDay}");
        if (onlyReads || name == "no_op") return null;
        int all = _ledger.Attempts(kind: null, TimeSpan.FromHours(1));
        return all >= _policy.TotalPerHour
            ? (CommandRefusal.LimitReached, $"{all} commands were tried in the last hour; this node allows {_policy.TotalPerHour} of all kinds")
            : null;
    }

    private async Task<CommandResult> ConsumeAsync(
        VerifiedCommand accepted, ReadOnlyMemory<byte> envelope, IActuator actuator, Preparation prepared, Action<CommandStage>? progress, CancellationToken deadline)
    {
        CommandIntent intent = IntentOf(accepted, envelope, prepared);
        if (!_ledger.TryConsume(intent) && accepted.Description.Risk != RiskClass.R0)
        {
            return Refuse(CommandRefusal.JournalFailed, "the intent could not be written; nothing was done", accepted.Id, envelope.Span);
        }

        progress?.Invoke(CommandStage.Consumed);
        if (!prepared.Passed)
        {
            Precondition failed = prepared.Preconditions.First(condition => !condition.Passed);
            return End(accepted, CommandOutcome.PreconditionFailed, $"{failed.Name}: {failed.Detail}", prepared, 0);
        }

        (bool inTime, StepResult? acted) = await BoundedAsync(() => actuator.Act(accepted.Command, prepared, deadline), accepted.Description.Deadline).ConfigureAwait(false);
        if (!inTime) return End(accepted, CommandOutcome.Interrupted, $"it did not come back within {accepted.Description.Deadline}", prepared, intent.RevertsAtUnixMs);
        if (!acted!.Ok) return await TakeBackAsync(accepted, actuator, prepared, acted.Detail, intent.RevertsAtUnixMs).ConfigureAwait(false);

        progress?.Invoke(CommandStage.Acted);
        (inTime, StepResult? verified) = await BoundedAsync(() => actuator.Verify(accepted.Command, prepared, deadline), accepted.Description.Deadline).ConfigureAwait(false);
        if (!inTime) return End(accepted, CommandOutcome.Interrupted, $"reading back did not end within {accepted.Description.Deadline}", prepared, intent.RevertsAtUnixMs);
        if (!verified!.Ok) return await TakeBackAsync(accepted, actuator, prepared, verified.Detail, intent.RevertsAtUnixMs).ConfigureAwait(false);
        return End(accepted, CommandOutcome.Done, $"{acted.Detail}; {verified.Detail}", prepared, intent.RevertsAtUnixMs, acted.Output);
    }

    // What went wrong half-way is put back at once where that can be: a node in between is the worst of three.
    private async Task<CommandResult> TakeBackAsync(VerifiedCommand accepted, IActuator actuator, Preparation prepared, string detail, long revertsAt)
    {
        if (prepared.Undo is null) return End(accepted, CommandOutcome.NotVerified, detail, prepared, 0);
        StepResult undone = await UndoAsync(accepted.Description.Name, prepared.Undo).ConfigureAwait(false);
        return undone.Ok
            ? End(accepted, CommandOutcome.Failed, $"{detail}; put back: {undone.Detail}", prepared, 0)
            : End(accepted, CommandOutcome.NotVerified, $"{detail}; and could not be put back: {undone.Detail}", prepared, revertsAt);
    }

    private async Task<StepResult> UndoAsync(string kind, UndoPlan plan)
    {
        if (!CommandCatalogue.TryFind(kind, out CommandDescription? description) || !_actuators.TryGetValue(description.Action, out IActuator? actuator))
        {
            return StepResult.Bad($"nothing on this node can undo {kind}");
        }

        using CancellationTokenSource deadline = new(UndoDeadline, _time);
        (bool inTime, StepResult? result) = await BoundedAsync(() => actuator.Undo(plan, deadline.Token), UndoDeadline).ConfigureAwait(false);
        return inTime ? result! : StepResult.Bad($"putting back did not end within {UndoDeadline}");
    }

    private CommandIntent IntentOf(VerifiedCommand accepted, ReadOnlyMemory<byte> envelope, Preparation prepared)
    {
        Command command = accepted.Command;
        CommandIntent intent = new()
        {
            CommandId = command.CommandId,
            Sequence = command.Sequence,
            Kind = accepted.Description.Name,
            Risk = accepted.Description.Risk,
            NotBeforeUnixMs = command.NotBeforeUnixMs,
            Envelope = ByteString.CopyFrom(envelope.Span),
            BootId = _facts.BootId,
            TtlMs = command.TtlMs,
        };
        intent.Signers.AddRange(accepted.Signers);
        if (prepared.Undo is null || !prepared.Passed) return intent;

        // A setting on top of another one goes back to what was there before both.
        intent.Undo = OnTopOf(_ledger.BaselineOf(prepared.Undo.Target), prepared.Undo);
        intent.RevertsAtUnixMs = command.TtlMs == 0 ? 0 : _time.GetUtcNow().ToUnixTimeMilliseconds() + (long)command.TtlMs;
        return intent;
    }

    private static UndoPlan OnTopOf(UndoPlan? older, UndoPlan newer)
    {
        if (older is null) return newer;
        UndoPlan both = older.Clone();
        both.Steps.AddRange(newer.Steps.Where(step => older.Steps.All(other => other.Key != step.Key)));
        return both;
    }

    /// <summary>Runs a step on a thread of its own, because a call into a driver can hang for ever and nobody can stop it.</summary>
    private async Task<(bool InTime, T? Result)> BoundedAsync<T>(Func<T> step, TimeSpan limit)
        where T : class
    {
        try
        {
            // A second longer than the token: who heeds it gets to say why it took so long.
            return (true, await Task.Run(step).WaitAsync(limit + TimeSpan.FromSeconds(1), _time).ConfigureAwait(false));
        }
        catch (TimeoutException)
        {
            IsStuck = true;
            return (false, null);
        }
    }

    private CommandResult End(VerifiedCommand accepted, CommandOutcome outcome, string detail, Preparation prepared, long revertsAt, byte[]? output = null)
    {
        CommandResult result = Answer(accepted, outcome, detail, prepared.Preconditions, revertsAt, output);
        _ledger.Finish(result);
        return result;
    }

    private static CommandResult Answer(
        VerifiedCommand accepted, CommandOutcome outcome, string detail, IReadOnlyList<Precondition> preconditions, long revertsAt, byte[]? output = null)
    {
        CommandResult result = new()
        {
            CommandId = accepted.Command.CommandId,
            Outcome = outcome,
            Detail = detail,
            RevertsAtUnixMs = revertsAt,
            Output = output is null ? ByteString.Empty : ByteString.CopyFrom(output),
        };
        result.Preconditions.AddRange(preconditions.Select(condition =>
            new PreconditionResult { Name = condition.Name, Passed = condition.Passed, Detail = condition.Detail }));
        return result;
    }

    private CommandResult Refuse(CommandRefusal refusal, string detail, Guid? id, ReadOnlySpan<byte> envelope)
    {
        _ledger.Refuse(refusal, detail, SHA256.HashData(envelope));
        return new CommandResult { CommandId = id is { } known ? CommandEnvelope.ToBytes(known) : ByteString.Empty, Refusal = CommandRefusals.NameOf(refusal), Detail = detail };
    }
}
