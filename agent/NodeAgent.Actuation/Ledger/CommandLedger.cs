using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using NodeAgent.Commands;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Ledger;

/// <summary>
/// The actuator's memory: which commands were consumed, what became of them, what still has to be put back. It is the audit chain at the
/// same time: one record, one sync, and nothing that was done can be missing from the audit. A command is consumed once its intent is
/// durable, before anything is done, and is never acted upon a second time, whatever happens then. Safe for several threads: one acts, others ask.
/// </summary>
public sealed class CommandLedger : IReplayMemory, IDisposable
{
    private const byte RecordType = 1;

    /// <summary>Refusals written one by one in an hour. Anybody can have a command refused; they must not fill the disk with it.</summary>
    private const int MaxRefusalsPerHour = 60;

    /// <summary>More are written down at once: what a crash could make us tell again stays small.</summary>
    private const int MaxReportedTogether = 128;

    /// <summary>Of what a program printed, this much outlives the process; the first answer has all of it.</summary>
    private const int MaxKeptOutput = 8 * 1024;

    private readonly Lock _gate = new(); // around chain, state and settings
    private readonly List<ByteString> _reported = []; // told to the aggregator, and not written down yet
    private readonly AuditChain _chain;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly LedgerState _state;
    private readonly Dictionary<Guid, ActiveSetting> _settings = [];
    private ChainHead? _aggregatorHead;
    private long _refusalHour;
    private int _refusalsThisHour;
    private ulong _lastCheckpoint;
    private ulong _refusalsNotWritten;

    private CommandLedger(AuditChain chain, LedgerState state, LedgerOptions options, TimeProvider time, long unreadable, ulong lastCheckpoint)
    {
        _lastCheckpoint = lastCheckpoint;
        _chain = chain;
        _state = state;
        _options = options;
        _time = time;
        Damage = !chain.Opening.IsWhole ? $"the command journal is not whole: {string.Join(", ", chain.Opening.Findings.Take(3))}"
            : chain.Recovery.LostRecords > 0 ? $"the command journal lost {chain.Recovery.LostRecords} records"
            : unreadable > 0 ? $"{unreadable} records of the command journal cannot be read"
            : null;
    }

    /// <summary>
    /// Null: whole. Else what is wrong: which commands were consumed is no longer certain, so nothing above R0 may run. It does not heal by
    /// itself; the agent must be enrolled again under a new id, for which no old command is meant.
    /// </summary>
    public string? Damage { get; }

    public AuditHead Head
    {
        get { lock (_gate) return _chain.DurableHead; }
    }

    /// <summary>Whose chain it is: the agent's id.</summary>
    public Guid Owner => _chain.Owner;

    public ulong HighestSequence
    {
        get { lock (_gate) return _state.HighestSequence; }
    }

    public long HighestSignedUnixMs
    {
        get { lock (_gate) return _state.HighestSignedUnixMs; }
    }

    /// <summary>Refusals that were counted and not written, so far.</summary>
    public ulong RefusalsNotWritten => _refusalsNotWritten;

    /// <summary>Consumed, and no end on the disk: after a start, those during which the actuator died.</summary>
    public IReadOnlyCollection<CommandIntent> Unfinished
    {
        get { lock (_gate) return [.. _state.Unfinished]; }
    }

    /// <summary>Results that the aggregator does not have yet, oldest first.</summary>
    public IReadOnlyList<CommandResult> Unreported
    {
        get { lock (_gate) return [.. _state.Unreported]; }
    }

    /// <summary>Opens the journal or makes it. What is damaged opens too, and says so.</summary>
    public static bool TryOpen(
        Guid agent, LedgerOptions options, IFileOps files, TimeProvider time,
        [NotNullWhen(true)] out CommandLedger? ledger, [NotNullWhen(false)] out OpenError? error)
    {
        ledger = null;
        LedgerState state = new();
        long unreadable = 0;
        ulong lastCheckpoint = 0;
        JournalOptions journal = new() { Directory = options.Directory, SegmentBytes = options.SegmentBytes, Commit = CommitPolicy.None, MaxRecordBytes = 1 << 20 };
        bool opened = AuditChain.TryOpen(
            agent, journal, files, time,
            (index, _, bytes) =>
            {
                if (!TryDecode(bytes, out AuditRecord? record))
                {
                    unreadable++;
                    return;
                }

                state.Apply(record);
                if (record.BodyCase == AuditRecord.BodyOneofCase.Checkpoint) lastCheckpoint = index;
            },
            out AuditChain? chain, out error);
        if (opened) ledger = new CommandLedger(chain!, state, options, time, unreadable, lastCheckpoint);
        return opened;
    }

    public bool WasConsumed(Guid id)
    {
        lock (_gate) return _state.TryGetOutcome(id, out _);
    }

    /// <summary>How a command that was consumed ended; of the last 256. Null: it has not, or not among them.</summary>
    public CommandResult? ResultOf(Guid id)
    {
        lock (_gate) return _state.TryGetResult(id, out CommandResult? result) ? result : null;
    }

    /// <summary>What became of a consumed command; None while that is open.</summary>
    public bool TryGetOutcome(Guid id, out CommandOutcome outcome) => _state.TryGetOutcome(id, out outcome);

    /// <summary>Attempts of a kind, or of all kinds above R0, within a window that ends now.</summary>
    public int Attempts(string? kind, TimeSpan window)
    {
        long since = Now() - (long)window.TotalMilliseconds;
        lock (_gate)
        {
            return _state.Attempts.Count(attempt =>
                attempt.WallUnixMs > since && (kind is null ? attempt.Risk > RiskClass.R0 && attempt.Kind != "no_op" : attempt.Kind == kind));
        }
    }

    /// <summary>What was there before any setting of this target that still has to be put back; null: there is none.</summary>
    public UndoPlan? BaselineOf(string target)
    {
        lock (_gate) return _state.TryGetSettingOf(target, out CommandIntent? intent) ? intent.Undo : null;
    }

    /// <summary>
    /// Writes the intent. True: it is on the disk, the command is consumed, and the caller may act, once. False: the disk fails; the command
    /// is consumed all the same, because its intent may yet reach the disk, and nothing may be done.
    /// </summary>
    public bool TryConsume(CommandIntent intent)
    {
        AuditAppend appended = Append(new AuditRecord { Intent = intent });
        if (appended == AuditAppend.Durable) return true;

        // Nothing was done, and if the disk heals it shall say so: without this a later start would call the command interrupted.
        if (appended == AuditAppend.InMemory) Finish(CommandEnvelope.ToGuid(intent.CommandId), CommandOutcome.Failed, "its intent was not on the disk in time; nothing was done");
        return false;
    }

    /// <summary>Writes how a command ended. False: the disk fails; after a restart it will count as interrupted, which is true of the knowledge there is.</summary>
    public bool Finish(Guid id, CommandOutcome outcome, string detail) =>
        Finish(new CommandResult { CommandId = CommandEnvelope.ToBytes(id), Outcome = outcome, Detail = detail });

    /// <summary>As the other one, with all that is to be told of it.</summary>
    public bool Finish(CommandResult result)
    {
        CommandResult kept = result.Clone();
        if (kept.Output.Length > MaxKeptOutput) kept.Output = ByteString.CopyFrom(kept.Output.Span[..MaxKeptOutput]);
        CommandFinish finish = new() { CommandId = kept.CommandId, Outcome = kept.Outcome, Detail = kept.Detail, Result = kept };
        return Append(new AuditRecord { Finish = finish }) == AuditAppend.Durable;
    }

    /// <summary>
    /// The aggregator has these results. Noted in memory; on the disk with <see cref="WriteReported"/>, because a sync for what may as well be
    /// told twice would be a third of a command's cost.
    /// </summary>
    public void Reported(ResultsReported results)
    {
        lock (_gate)
        {
            List<ByteString> known = [.. results.CommandIds.Where(id => _state.Unreported.Any(result => result.CommandId == id))];
            _state.Report(known);
            _reported.AddRange(known);
            _aggregatorHead = results.AggregatorHead ?? _aggregatorHead;
            if (_reported.Count >= MaxReportedTogether) WriteReported();
        }
    }

    /// <summary>Writes down what the aggregator has; before an end, and now and then.</summary>
    public void WriteReported()
    {
        lock (_gate)
        {
            if (_reported.Count == 0) return;
            ResultsReported record = new() { AggregatorHead = _aggregatorHead };
            record.CommandIds.AddRange(_reported);
            if (Append(new AuditRecord { Reported = record }) != AuditAppend.Refused) _reported.Clear();
        }
    }

    /// <summary>Writes a refusal, or counts it when too many came this hour.</summary>
    public void Refuse(CommandRefusal refusal, string detail, ReadOnlySpan<byte> envelopeSha256)
    {
        lock (_gate) RefuseNeedsLock(refusal, detail, envelopeSha256);
    }

    private void RefuseNeedsLock(CommandRefusal refusal, string detail, ReadOnlySpan<byte> envelopeSha256)
    {
        long hour = Now() / 3_600_000;
        if (hour != _refusalHour) (_refusalHour, _refusalsThisHour) = (hour, 0);
        if (_refusalsThisHour >= MaxRefusalsPerHour)
        {
            _refusalsNotWritten++;
            return;
        }

        _refusalsThisHour++;
        Append(new AuditRecord
        {
            Refused = new CommandRefused
            {
                Refusal = CommandRefusals.NameOf(refusal), Detail = detail, EnvelopeSha256 = ByteString.CopyFrom(envelopeSha256), NotWritten = _refusalsNotWritten,
            },
        });
    }

    /// <summary>Writes down something else: a new policy, a halt.</summary>
    public bool Note(string kind, string detail) => Append(new AuditRecord { Note = new AuditNote { Kind = kind, Detail = detail } }) == AuditAppend.Durable;

    /// <summary>Settings whose time is up, by either clock, and whose next try is due.</summary>
    public IReadOnlyList<ActiveSetting> DueSettings()
    {
        long now = Now();
        long timestamp = _time.GetTimestamp();
        lock (_gate)
        {
            SynchroniseSettings();
            return [.. _settings.Values.Where(setting =>
                (setting.RevertsAtUnixMs <= now || setting.DeadlineTimestamp <= timestamp) && setting.NotBeforeTimestamp <= timestamp)];
        }
    }

    /// <summary>All settings that revert by themselves.</summary>
    public IReadOnlyList<ActiveSetting> ActiveSettings()
    {
        lock (_gate)
        {
            SynchroniseSettings();
            return [.. _settings.Values];
        }
    }

    /// <summary>Writes how a revert ended. One that failed is tried again after a while that doubles, from a minute to an hour.</summary>
    public void Reverted(ActiveSetting setting, bool reverted, string detail)
    {
        if (!reverted)
        {
            double minutes = Math.Min(60, Math.Pow(2, Math.Min(setting.Failures, 10)));
            setting.Failures++;
            setting.NotBeforeTimestamp = _time.GetTimestamp() + (long)(minutes * 60 * _time.TimestampFrequency);
        }

        Append(new AuditRecord
        {
            Revert = new RevertFinish { CommandId = CommandEnvelope.ToBytes(setting.Command), Target = setting.Undo.Target, Reverted = reverted, Detail = detail },
        });
    }

    /// <summary>Reads the chain again and checks it.</summary>
    public AuditReport Verify(IEnumerable<AuditHead>? heads = null)
    {
        lock (_gate) return _chain.Verify(heads);
    }

    /// <summary>Shows the records from an index on.</summary>
    public void Read(ulong fromIndex, Action<ulong, AuditRecord> found)
    {
        lock (_gate)
        {
            _chain.Read(fromIndex, (index, type, bytes) =>
            {
                if (type == RecordType && TryDecode(bytes, out AuditRecord? record)) found(index, record);
            });
        }
    }

    /// <summary>Shows the records from an index on as they lie on the disk, until one is refused.</summary>
    public void ReadLinks(ulong fromIndex, AuditLinkFound found)
    {
        lock (_gate) _chain.ReadLinks(fromIndex, found);
    }

    public void Export(TextWriter into)
    {
        lock (_gate) _chain.Export(into);
    }

    public void Dispose()
    {
        WriteReported();
        _chain.Dispose();
    }

    private AuditAppend Append(AuditRecord record)
    {
        lock (_gate) return AppendNeedsLock(record);
    }

    private AuditAppend AppendNeedsLock(AuditRecord record)
    {
        record.WallUnixMs = Now();
        AuditAppend appended = _chain.Append(RecordType, record.ToByteArray());
        if (appended != AuditAppend.Refused) _state.Apply(record);
        if (appended == AuditAppend.Durable && record.BodyCase != AuditRecord.BodyOneofCase.Checkpoint) Compact();
        return appended;
    }

    private void Compact()
    {
        // As many records apart as are kept: however large those are, checkpoints stay a small part of the journal.
        ulong end = _chain.DurableHead.Index;
        if (_chain.DiskBytes <= _options.CompactBytes || end < _lastCheckpoint + _options.KeepRecords || end <= _options.KeepRecords) return;
        if (Append(new AuditRecord { Checkpoint = _state.Checkpoint(Now()) }) != AuditAppend.Durable) return;
        _lastCheckpoint = _chain.DurableHead.Index;
        _chain.Release(end - _options.KeepRecords);
    }

    // The state knows which settings there are; what only this process knows of them (its clock, its failures) is kept beside it.
    private void SynchroniseSettings()
    {
        Dictionary<Guid, CommandIntent> wanted = _state.Settings.ToDictionary(intent => CommandEnvelope.ToGuid(intent.CommandId));
        foreach (Guid gone in _settings.Keys.Where(id => !wanted.ContainsKey(id)).ToList()) _settings.Remove(gone);
        foreach ((Guid id, CommandIntent intent) in wanted.Where(entry => !_settings.ContainsKey(entry.Key)))
        {
            double leftMs = Math.Clamp(intent.RevertsAtUnixMs - Now(), 0, (double)intent.TtlMs);
            _settings[id] = new ActiveSetting
            {
                Command = id,
                Kind = intent.Kind,
                Undo = intent.Undo,
                RevertsAtUnixMs = intent.RevertsAtUnixMs,
                DeadlineTimestamp = _time.GetTimestamp() + (long)(leftMs / 1000 * _time.TimestampFrequency),
            };
        }
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AuditRecord? record)
    {
        record = null;
        try
        {
            record = AuditRecord.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            // Counted by the caller, and by that the whole journal is damaged.
            return false;
        }
    }
}
