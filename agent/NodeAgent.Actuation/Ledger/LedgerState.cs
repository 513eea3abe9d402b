using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Ledger;

/// <summary>
/// What the records so far come to. Pure: the same records give the same state, at a start and while running, so there is one place where a
/// record's meaning is written down.
/// </summary>
internal sealed class LedgerState
{
    /// <summary>Ids kept only to say "replayed" rather than "sequence too low"; safety does not hang on them.</summary>
    private const int MaxRememberedIds = 8192;

    /// <summary>Results kept to be told again; with 8 KiB of output each, two megabytes.</summary>
    private const int MaxRememberedResults = 256;

    /// <summary>The longest window of any limit.</summary>
    private static readonly long AttemptMemoryMs = (long)TimeSpan.FromDays(1).TotalMilliseconds;

    private readonly Queue<Guid> _order = [];
    private readonly Dictionary<Guid, CommandOutcome> _outcomes = [];
    private readonly Dictionary<Guid, CommandIntent> _unfinished = [];
    private readonly Dictionary<Guid, CommandIntent> _settings = [];
    private readonly List<Attempt> _attempts = [];
    private readonly Dictionary<Guid, CommandResult> _results = []; // of the last few, for those who ask again
    private readonly Queue<Guid> _resultOrder = [];
    private readonly List<CommandResult> _unreported = []; // oldest first

    internal ulong HighestSequence { get; private set; }

    internal long HighestSignedUnixMs { get; private set; }

    internal IReadOnlyCollection<CommandIntent> Unfinished => _unfinished.Values;

    /// <summary>Settings that are made, or may have been made, and still have to be put back.</summary>
    internal IEnumerable<CommandIntent> Settings => _settings.Values.Where(intent => !_unfinished.ContainsKey(Id(intent)) && intent.RevertsAtUnixMs > 0);

    internal IReadOnlyList<Attempt> Attempts => _attempts;

    /// <summary>What the aggregator does not have yet, oldest first; the chain keeps what no longer fits.</summary>
    internal IReadOnlyList<CommandResult> Unreported => _unreported;

    internal bool TryGetResult(Guid id, [NotNullWhen(true)] out CommandResult? result) => _results.TryGetValue(id, out result);

    internal bool TryGetOutcome(Guid id, out CommandOutcome outcome) => _outcomes.TryGetValue(id, out outcome);

    internal bool TryGetSettingOf(string target, [NotNullWhen(true)] out CommandIntent? intent)
    {
        intent = Settings.FirstOrDefault(setting => setting.Undo.Target == target);
        return intent is not null;
    }

    internal void Apply(AuditRecord record)
    {
        switch (record.BodyCase)
        {
            case AuditRecord.BodyOneofCase.Intent: Begin(record.Intent, record.WallUnixMs); break;
            case AuditRecord.BodyOneofCase.Finish:
                Finish(CommandEnvelope.ToGuid(record.Finish.CommandId), record.Finish.Outcome);
                RememberResult(ResultOf(record.Finish));
                break;
            case AuditRecord.BodyOneofCase.Reported: Report(record.Reported.CommandIds); break;
            case AuditRecord.BodyOneofCase.Revert when record.Revert.Reverted: _settings.Remove(CommandEnvelope.ToGuid(record.Revert.CommandId)); break;
            case AuditRecord.BodyOneofCase.Checkpoint: Restore(record.Checkpoint); break;
            default: break; // Refusals, notes and failed reverts are history: they change nothing.
        }
    }

    internal LedgerCheckpoint Checkpoint(long nowUnixMs)
    {
        Forget(nowUnixMs);
        LedgerCheckpoint checkpoint = new() { HighestSequence = HighestSequence, HighestSignedUnixMs = HighestSignedUnixMs };
        Dictionary<Guid, CommandIntent> kept = [];
        foreach (CommandIntent intent in _unfinished.Values.Concat(_settings.Values))
        {
            if (!kept.TryAdd(Id(intent), intent)) continue;
            CommandIntent copy = intent.Clone();
            copy.Envelope = ByteString.Empty;
            checkpoint.Intents.Add(copy);
        }

        checkpoint.Unfinished.AddRange(_unfinished.Keys.Select(CommandEnvelope.ToBytes));
        checkpoint.ToRevert.AddRange(_settings.Keys.Select(CommandEnvelope.ToBytes));
        foreach (IGrouping<(string Kind, RiskClass Risk), Attempt> kind in _attempts.GroupBy(attempt => (attempt.Kind, attempt.Risk)))
        {
            AttemptTimes times = new() { Kind = kind.Key.Kind, Risk = kind.Key.Risk };
            times.WallUnixMs.AddRange(kind.Select(attempt => attempt.WallUnixMs));
            checkpoint.Attempts.Add(times);
        }

        checkpoint.Unreported.AddRange(_unreported);
        return checkpoint;
    }

    internal void Report(IEnumerable<ByteString> ids)
    {
        HashSet<ByteString> told = [.. ids];
        _unreported.RemoveAll(result => told.Contains(result.CommandId));
    }

    private void Begin(CommandIntent intent, long wallUnixMs)
    {
        Guid id = Id(intent);
        // What nobody signed must not use up numbers or move the clock: anybody on the way could have made it up.
        if (intent.Signers.Count > 0)
        {
            HighestSequence = Math.Max(HighestSequence, intent.Sequence);
            HighestSignedUnixMs = Math.Max(HighestSignedUnixMs, intent.NotBeforeUnixMs);
        }

        Remember(id, CommandOutcome.None);
        _unfinished[id] = intent;
        if (intent.Undo is not null) _settings[id] = intent;
        Forget(wallUnixMs);
        _attempts.Add(new Attempt(intent.Kind, intent.Risk, wallUnixMs));
    }

    private void Finish(Guid id, CommandOutcome outcome)
    {
        Remember(id, outcome);
        _unfinished.Remove(id);
        if (!_settings.TryGetValue(id, out CommandIntent? mine)) return;

        // What did not happen leaves an older setting of the same target as it was; what did, or may have, takes its place.
        bool happened = outcome is CommandOutcome.Done or CommandOutcome.NotVerified or CommandOutcome.Interrupted;
        if (happened)
        {
            foreach (Guid older in _settings.Where(other => other.Key != id && other.Value.Undo.Target == mine.Undo.Target).Select(other => other.Key).ToList())
            {
                _settings.Remove(older);
            }
        }

        if (!happened || mine.RevertsAtUnixMs == 0) _settings.Remove(id);
    }

    private void Restore(LedgerCheckpoint checkpoint)
    {
        HighestSequence = Math.Max(HighestSequence, checkpoint.HighestSequence);
        HighestSignedUnixMs = Math.Max(HighestSignedUnixMs, checkpoint.HighestSignedUnixMs);
        _unfinished.Clear();
        _settings.Clear();
        _attempts.Clear();
        foreach (AttemptTimes times in checkpoint.Attempts)
        {
            _attempts.AddRange(times.WallUnixMs.Select(wallUnixMs => new Attempt(times.Kind, times.Risk, wallUnixMs)));
        }

        _unreported.Clear();
        foreach (CommandResult result in checkpoint.Unreported) RememberResult(result);
        HashSet<ByteString> unfinished = [.. checkpoint.Unfinished];
        HashSet<ByteString> toRevert = [.. checkpoint.ToRevert];
        foreach (CommandIntent intent in checkpoint.Intents)
        {
            Guid id = Id(intent);
            if (!_outcomes.ContainsKey(id)) Remember(id, CommandOutcome.None);
            if (unfinished.Contains(intent.CommandId)) _unfinished[id] = intent;
            if (toRevert.Contains(intent.CommandId)) _settings[id] = intent;
        }
    }

    private void Remember(Guid id, CommandOutcome outcome)
    {
        if (_outcomes.TryAdd(id, outcome))
        {
            _order.Enqueue(id);
            while (_order.Count > MaxRememberedIds) _outcomes.Remove(_order.Dequeue());
        }
        else
        {
            _outcomes[id] = outcome;
        }
    }

    // Journals from before results were kept say how a command ended, and no more.
    private static CommandResult ResultOf(CommandFinish finish) =>
        finish.Result ?? new CommandResult { CommandId = finish.CommandId, Outcome = finish.Outcome, Detail = finish.Detail };

    private void RememberResult(CommandResult result)
    {
        Guid id = CommandEnvelope.ToGuid(result.CommandId);
        if (_results.TryAdd(id, result)) _resultOrder.Enqueue(id);
        else _results[id] = result;
        while (_resultOrder.Count > MaxRememberedResults) _results.Remove(_resultOrder.Dequeue());
        _unreported.RemoveAll(other => other.CommandId == result.CommandId);
        _unreported.Add(result);
        if (_unreported.Count > MaxRememberedResults) _unreported.RemoveAt(0);
    }

    // A time in the future is a clock that was set back since: it counts, because nobody can say how old it is.
    private void Forget(long nowUnixMs) => _attempts.RemoveAll(attempt => nowUnixMs - attempt.WallUnixMs > AttemptMemoryMs);

    private static Guid Id(CommandIntent intent) => CommandEnvelope.ToGuid(intent.CommandId);
}
