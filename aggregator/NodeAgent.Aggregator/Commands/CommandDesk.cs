using System.Threading.Channels;
using Google.Protobuf;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>The disk does not take what must be on it first.</summary>
internal sealed class CommandJournalException() : Exception("the chain of commands cannot be written; nothing was done");

/// <summary>It cannot be done now, and asking again does not change that.</summary>
internal sealed class CommandStateException(string message) : Exception(message);

/// <summary>
/// Takes signed commands from people and has them go out, in waves, as far as they do well; hears what became of them. All of it is in the
/// journal before anything follows from it, so another start goes on where this one ended, and no command goes out twice as a new one.
/// <para>
/// Calls come from many threads and take the lock; what nodes say comes through a bounded inbox, which <see cref="Step"/> empties.
/// </para>
/// </summary>
internal sealed partial class CommandDesk : ICommandPost, IDisposable
{
    private const int MostInbox = 65_536;
    private const int MostOpen = 64;

    private readonly Lock _lock = new();
    private readonly Channel<InboxItem> _inbox = Channel.CreateBounded<InboxItem>(new BoundedChannelOptions(MostInbox) { SingleReader = true });
    private readonly CommandJournal _journal;
    private readonly CommandBook _book;
    private readonly FleetRegistry _fleet;
    private readonly TimeProvider _time;
    private readonly CommandDeskLog _log;
    private long _dropped;

    internal CommandDesk(CommandJournal journal, CommandBook book, FleetRegistry fleet, TimeProvider time, CommandDeskLog log)
    {
        (_journal, _book, _fleet, _time, _log) = (journal, book, fleet, time, log);
        long now = NowMs;
        foreach (Rollout rollout in _book.Rollouts)
        {
            _waveStarted[rollout.Id] = now;
        }
    }

    /// <summary>What nodes said and the inbox had no room for; they say it again at their next connection.</summary>
    internal long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>For a backup.</summary>
    internal Journal.DurableLog Journal => _journal.Log;

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    internal PrepareResponse Prepare(PrepareRequest request)
    {
        if (!CommandCatalogue.TryFind(request.Kind, out CommandDescription? description))
        {
            throw new ArgumentException($"there is no command '{request.Kind}'; `nodectl commands` lists them");
        }

        SubmissionCheck.Require(request.SoakMs <= RolloutRules.MaxSoak.TotalMilliseconds, $"soak_ms: at most {RolloutRules.MaxSoak.TotalMilliseconds}");
        lock (_lock)
        {
            IReadOnlyList<string> nodes = NodeSelector.Resolve(request.Selector, [.. _fleet.Nodes.Select(node => node.Name)]);
            PrepareResponse response = new() { WallUnixMs = NowMs, SoakMs = request.SoakMs == 0 ? (uint)RolloutRules.DefaultSoak.TotalMilliseconds : request.SoakMs };
            List<NodeLane> able = [];
            foreach (string node in nodes)
            {
                NodeLane? lane = _book.FindLane(node);
                if (WhyUnable(lane) is { } reason)
                {
                    response.Unreachable.Add(new UnreachableNode { Node = node, Reason = reason });
                }
                else
                {
                    able.Add(lane!);
                }
            }

            SubmissionCheck.Require(able.Count <= SubmissionCheck.MostTargets, $"{able.Count} nodes are more than {SubmissionCheck.MostTargets} in one rollout");
            int[] waves = RolloutRules.Waves(able.Count, request.DryRun || description.Risk == RiskClass.R0);
            response.Targets.AddRange(able.Select((lane, place) => TargetOf(lane, waves[place])));
            (int approvals, string why) = RolloutRules.Approvals(description, request.DryRun, able.Count, _fleet.Count);
            (response.Approvals, response.ApprovalsReason) = ((uint)approvals, why);
            return response;
        }
    }

    internal Wire.Rollout Submit(string person, SubmitRequest request)
    {
        lock (_lock)
        {
            CommandDescription description = SubmissionCheck.Check(request, _book.FindLane, NowMs);
            Guid id = CommandEnvelope.ToGuid(request.RolloutId);
            if (_book.TryFind(id, out Rollout? known))
            {
                return known.People[0] == person ? known.ToMessage(withTargets: true, withPayloads: false) : throw new ArgumentException("another person's rollout has this id");
            }

            ThrowIfHaltedNeedsLock();
            SubmissionCheck.Require(request.Targets.All(target => !IsKnownNeedsLock(target)), "a command of this id was submitted before");
            if (_book.Rollouts.Count(rollout => rollout.IsOpen) >= MostOpen)
            {
                throw new CommandStateException($"{MostOpen} rollouts are open already");
            }

            bool dryRun = Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(request.Targets[0].Envelope).Payload).DryRun;
            (int approvals, string why) = RolloutRules.Approvals(description, dryRun, request.Targets.Count, _fleet.Count);
            RolloutOpened opened = new()
            {
                RolloutId = request.RolloutId,
                By = person,
                Selector = request.Selector,
                SoakMs = request.SoakMs == 0 ? (uint)RolloutRules.DefaultSoak.TotalMilliseconds : request.SoakMs,
                Approvals = (uint)approvals,
            };
            opened.Targets.AddRange(request.Targets);
            if (!TryWriteNeedsLock(new CommandBookRecord { Opened = opened }))
            {
                // It may yet reach the disk, and whoever submitted it is told that it was not taken: it must not begin at a later start.
                RolloutClosed never = new() { RolloutId = request.RolloutId, Phase = RolloutPhase.Cancelled, Detail = "it was not on the disk in time" };
                _owedRecords.Add(new CommandBookRecord { Closed = never });
                throw new CommandJournalException();
            }

            _book.TryFind(id, out Rollout? rollout);
            rollout!.Detail = rollout.Phase == RolloutPhase.AwaitingApproval ? $"{approvals} people must sign: {why}" : "";
            _waveStarted[id] = NowMs;
            _log.Opened(person, description.Name, rollout.Targets.Count, id, rollout.Detail);
            AdvanceNeedsLock(rollout);
            return rollout.ToMessage(withTargets: true, withPayloads: false);
        }
    }

    internal Wire.Rollout Approve(string person, ApproveRequest request)
    {
        lock (_lock)
        {
            Rollout rollout = FindNeedsLock(request.RolloutId);
            ThrowIfHaltedNeedsLock();
            if (rollout.Phase != RolloutPhase.AwaitingApproval)
            {
                throw new CommandStateException($"rollout {rollout.Id} awaits nobody");
            }

            if (rollout.People.Contains(person))
            {
                throw new UnauthorizedAccessException($"{person} has signed already; another person is wanted");
            }

            RolloutApproved approved = new() { RolloutId = request.RolloutId, By = person };
            foreach (RolloutTarget target in rollout.Targets)
            {
                CommandSignature? signature = request.Signatures.FirstOrDefault(candidate => candidate.CommandId == target.Command.CommandId)?.Signature;
                SubmissionCheck.Require(signature is { Signature.Length: CommandEnvelope.SignatureBytes, KeyId.Length: CommandEnvelope.IdBytes }, $"{target.Node}: its signature is missing");
                SubmissionCheck.Require(target.Envelope.Signatures.All(other => other.KeyId != signature!.KeyId), $"{target.Node}: this key has signed already");
                approved.Signatures.Add(new ApprovalSignature { CommandId = target.Command.CommandId, Signature = signature });
            }

            WriteNeedsLock(new CommandBookRecord { Approved = approved });
            _log.Approved(person, rollout.Id);
            _waveStarted[rollout.Id] = NowMs;
            AdvanceNeedsLock(rollout);
            return rollout.ToMessage(withTargets: true, withPayloads: false);
        }
    }

    internal Wire.Rollout Cancel(string person, CancelRequest request)
    {
        lock (_lock)
        {
            Rollout rollout = FindNeedsLock(request.RolloutId);
            if (rollout.IsOpen)
            {
                string reason = request.Reason.Length > 0 ? request.Reason : "no reason given";
                CloseNeedsLock(rollout, RolloutPhase.Cancelled, $"cancelled by {person}: {Short(reason)}", person);
            }

            return rollout.ToMessage(withTargets: true, withPayloads: false);
        }
    }

    /// <summary>A rollout as it is, and what completes when it changes.</summary>
    internal (Wire.Rollout Message, bool HasEnded, Task Changed) Look(ByteString id, bool withPayloads)
    {
        lock (_lock)
        {
            Rollout rollout = FindNeedsLock(id);
            bool hasEnded = !rollout.IsOpen && rollout.Targets.All(target => target.HasEnded);
            return (rollout.ToMessage(withTargets: true, withPayloads), hasEnded, rollout.Changed);
        }
    }

    internal ListRolloutsResponse List(int limit)
    {
        lock (_lock)
        {
            ListRolloutsResponse response = new() { Halt = _book.Halt };
            response.Rollouts.AddRange(_book.Rollouts.Reverse().Take(limit).Select(rollout => rollout.ToMessage(withTargets: false, withPayloads: false)));
            return response;
        }
    }

    /// <summary>Stops everything. It counts at once, whether or not the disk takes it.</summary>
    internal HaltState Halt(string person, string reason)
    {
        lock (_lock)
        {
            HaltState halt = new() { Halted = true, By = person, Reason = Short(reason), SinceUnixMs = NowMs };
            _book.SetHalt(halt);
            _log.Halted(person, halt.Reason);
            CommandBookRecord record = new() { Halt = halt };
            if (!TryWriteNeedsLock(record))
            {
                _owedRecords.Add(record);
            }

            foreach (Rollout rollout in _book.Rollouts.Where(rollout => rollout.IsOpen).ToList())
            {
                CloseNeedsLock(rollout, RolloutPhase.Stopped, $"halted by {person}: {halt.Reason}", person);
            }

            return halt;
        }
    }

    internal HaltState Resume(string person, string reason)
    {
        lock (_lock)
        {
            HaltState over = new() { Halted = false, By = person, Reason = Short(reason), SinceUnixMs = NowMs };
            WriteNeedsLock(new CommandBookRecord { Halt = over });
            _log.Resumed(person, over.Reason);
            return over;
        }
    }

    internal ListHeadsResponse Heads()
    {
        lock (_lock)
        {
            ListHeadsResponse response = new() { Own = AuditRecords.ToMessage(_journal.Head), Owner = CommandEnvelope.ToBytes(_journal.Owner) };
            response.Heads.AddRange(_book.Lanes.Where(lane => lane.Head is not null).OrderBy(lane => lane.Node, StringComparer.Ordinal).Select(CommandBook.HeadOf));
            return response;
        }
    }

    /// <summary>At most so many records of the chain, from an index on.</summary>
    internal IReadOnlyList<AuditLinkRecord> ReadAudit(ulong fromIndex, int most)
    {
        List<AuditLinkRecord> records = [];
        _journal.ReadLinks(fromIndex, (index, type, link) =>
        {
            records.Add(AuditRecords.ToMessage(index, type, link));
            return records.Count < most;
        });
        return records;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _journal.Dispose();
        }
    }

    private static string? WhyUnable(NodeLane? lane) => lane switch
    {
        null or { Outlet: null } => "not connected",
        { Report: null } => "it has not said yet whether it has an actuator",
        { Report.Available: false } => $"no actuator: {lane.Report.Reason}",
        { Report.Stuck: true } => "its actuator is stuck",
        { Report.Damage.Length: > 0 } => lane.Report.Damage,
        _ => null,
    };

    private static CommandTarget TargetOf(NodeLane lane, int wave) => new()
    {
        Node = lane.Node,
        Fleet = lane.Report!.Fleet,
        Incarnation = lane.Report.Incarnation,
        Sequence = ++lane.Sequence,
        Wave = (uint)wave,
        Policy = lane.Report.Policy,
    };

    private static string Short(string text) => new([.. text.Take(256).Select(c => char.IsControl(c) ? ' ' : c)]);

    private bool IsKnownNeedsLock(SignedTarget target) =>
        _book.TryFindCommand(Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(target.Envelope).Payload).CommandId, out _, out _);

    private Rollout FindNeedsLock(ByteString id) =>
        id.Length == CommandEnvelope.IdBytes && _book.TryFind(CommandEnvelope.ToGuid(id), out Rollout? rollout)
            ? rollout
            : throw new KeyNotFoundException("there is no such rollout, or it is so old that only the audit has it");

    private void ThrowIfHaltedNeedsLock()
    {
        if (_book.Halt.Halted)
        {
            throw new CommandStateException($"commands are halted by {_book.Halt.By}: {_book.Halt.Reason}; `nodectl halt --off` ends it");
        }
    }

    // On the disk, and then in memory by the same code as at a start.
    private void WriteNeedsLock(CommandBookRecord record)
    {
        if (!TryWriteNeedsLock(record))
        {
            throw new CommandJournalException();
        }
    }
}
