using Google.Protobuf;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Commands;
using NodeAgent.Commands.Audit;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>How rollouts go on: by what nodes say, and by the time.</summary>
internal sealed partial class CommandDesk
{
    private const int MostItemsAtOnce = 4_096;
    private const int MostKeptOutput = 8 * 1024;

    /// <summary>A node that is away for longer when its turn comes is passed over.</summary>
    private static readonly TimeSpan ConnectGrace = TimeSpan.FromSeconds(30);

    /// <summary>What a node announces after its connection makes most questions unnecessary.</summary>
    private static readonly TimeSpan AnnounceGrace = TimeSpan.FromSeconds(1);

    /// <summary>Beyond window and deadline: for what is on the way.</summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromSeconds(30);

    /// <summary>A commanded node that says nothing for longer has fallen silent.</summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(15);

    private readonly Dictionary<Guid, long> _waveStarted = [];
    private readonly List<TargetEnd> _owedEnds = []; // heard of, and not on the disk yet
    private readonly List<CommandBookRecord> _owedRecords = []; // decided while the disk failed: they count, and are written first
    private readonly Dictionary<ICommandOutlet, List<ByteString>> _toSettle = [];
    private bool _isFailing;

    private enum InboxKind
    {
        Opened,
        Closed,
        Message,
        Tick,
    }

    void ICommandPost.Opened(string node, ICommandOutlet outlet) => Post(new InboxItem(InboxKind.Opened, node, outlet, null));

    void ICommandPost.Closed(string node, ICommandOutlet outlet) => Post(new InboxItem(InboxKind.Closed, node, outlet, null));

    void ICommandPost.Take(string node, AgentMessage message) => Post(new InboxItem(InboxKind.Message, node, null, message));

    /// <summary>About once a second.</summary>
    internal void Tick() => Post(new InboxItem(InboxKind.Tick, "", null, null));

    /// <summary>Completes when it was told to end; fails with a bug.</summary>
    internal Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to empty the inbox.</summary>
    internal void Start(CancellationToken stopping) => Completion = RunAsync(stopping);

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (await _inbox.Reader.WaitToReadAsync(stopping).ConfigureAwait(false))
            {
                Step();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The server stops; what is in the inbox nodes say again.
            return;
        }
    }

    /// <summary>Handles what has come.</summary>
    internal void Step()
    {
        lock (_lock)
        {
            bool isTick = false;
            for (int i = 0; i < MostItemsAtOnce && _inbox.Reader.TryRead(out InboxItem item); i++)
            {
                isTick |= item.Kind == InboxKind.Tick;
                TakeNeedsLock(item);
            }

            WriteEndsNeedsLock();
            if (isTick)
            {
                TryWriteOwedNeedsLock();
                WriteHeadsNeedsLock();
                CompactNeedsLock();
            }

            // What has ended is looked at by the clock alone: answers come in heaps, and old rollouts are many.
            foreach (Rollout rollout in _book.Rollouts.Where(rollout => isTick || rollout.IsOpen).ToList())
            {
                if (isTick)
                {
                    WatchSentNeedsLock(rollout, NowMs);
                }

                AdvanceNeedsLock(rollout);
            }

            WriteEndsNeedsLock();
        }
    }

    private void Post(InboxItem item)
    {
        if (!_inbox.Writer.TryWrite(item))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private void TakeNeedsLock(InboxItem item)
    {
        if (item.Kind == InboxKind.Tick)
        {
            return;
        }

        NodeLane lane = _book.LaneOf(item.Node);
        switch (item.Kind)
        {
            case InboxKind.Opened:
                (lane.Outlet, lane.ReportedAt) = (item.Outlet, 0);
                break;
            case InboxKind.Closed when lane.Outlet == item.Outlet:
                lane.Outlet = null;
                break;
            case InboxKind.Message when item.Message!.BodyCase == AgentMessage.BodyOneofCase.Actuator:
                TakeReportNeedsLock(lane, item.Message.Actuator);
                break;
            case InboxKind.Message when item.Message!.BodyCase == AgentMessage.BodyOneofCase.CommandProgress:
                TakeProgressNeedsLock(lane, item.Message.CommandProgress);
                break;
            case InboxKind.Message when item.Message!.BodyCase == AgentMessage.BodyOneofCase.CommandAnswer:
                TakeAnswerNeedsLock(lane, item.Message.CommandAnswer);
                break;
            default:
                break; // A stream that another one has replaced.
        }
    }

    // The node's name is its certificate's; what it says beside that is only about itself.
    private void TakeReportNeedsLock(NodeLane lane, ActuatorReport report)
    {
        bool isUsable = report.Available && report.Incarnation.Length == CommandIdentity.IncarnationBytes && report.Node == lane.Node;
        lane.Report = isUsable || !report.Available ? report : new ActuatorReport { Reason = "its actuator belongs to another node" };
        lane.ReportedAt = _time.GetTimestamp();
        if (isUsable)
        {
            lane.Sequence = Math.Max(lane.Sequence, report.HighestSequence);
            TakeHeadNeedsLock(lane, report.Head);
        }
    }

    private void TakeHeadNeedsLock(NodeLane lane, ChainHead? head)
    {
        if (AuditRecords.FromMessage(head) is not { Index: > 0 } now || lane.Report is not { Available: true } report)
        {
            return;
        }

        ByteString agent = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(report.Fleet, lane.Node, report.Incarnation.Span));
        if (lane.Head is { } known && known.AgentId == agent && AuditRecords.FromMessage(known.Head) is { } before
            && (now.Index < before.Index || (now.Index == before.Index && now.Hash != before.Hash)))
        {
            // The head that proves it is kept.
            _log.HeadWentBack(lane.Node, now.ToString(), before.ToString());
            return;
        }

        lane.IsHeadNew |= lane.Head?.Head.Index != now.Index;
        lane.Head = new NodeHead { Node = lane.Node, AgentId = agent, Head = head, SeenUnixMs = NowMs };
    }

    private void TakeProgressNeedsLock(NodeLane lane, CommandProgress progress)
    {
        if (_book.TryFindCommand(progress.CommandId, out Rollout rollout, out RolloutTarget target) && target.Node == lane.Node && progress.Stage > target.Stage)
        {
            target.Stage = progress.Stage;
            rollout.NoteChange();
        }
    }

    private void TakeAnswerNeedsLock(NodeLane lane, CommandAnswer answer)
    {
        lane.Sequence = Math.Max(lane.Sequence, answer.HighestSequence);
        TakeHeadNeedsLock(lane, answer.Head);
        CommandResult? result = answer.Earlier ?? answer.Result;
        bool isOurs = _book.TryFindCommand(answer.CommandId, out Rollout rollout, out RolloutTarget target) && target.Node == lane.Node;

        // What was never sent cannot be answered, and what has ended has ended; but a refusal that the agent made up because its actuator
        // was away gives way to what the actuator says itself.
        bool isOpen = isOurs && (target.Phase is TargetPhase.Sent or TargetPhase.Unknown
            || (target.Phase == TargetPhase.Failed && target.Result?.Outcome == CommandOutcome.None && result?.Outcome != CommandOutcome.None));
        if (isOpen && result is not null && _owedEnds.All(end => end.CommandId != answer.CommandId))
        {
            bool isGood = result.Refusal.Length == 0 && result.Outcome is CommandOutcome.Done or CommandOutcome.DryRun;
            if (result.Output.Length > MostKeptOutput)
            {
                result.Output = ByteString.CopyFrom(result.Output.Span[..MostKeptOutput]);
            }

            OweEndNeedsLock(rollout, target, isGood ? TargetPhase.Succeeded : TargetPhase.Failed, result, "");
        }

        if (lane.Outlet is { } outlet)
        {
            if (!_toSettle.TryGetValue(outlet, out List<ByteString>? ids))
            {
                _toSettle[outlet] = ids = [];
            }

            ids.Add(answer.CommandId);
        }
    }

    private void OweEndNeedsLock(Rollout rollout, RolloutTarget target, TargetPhase phase, CommandResult? result, string detail) => _owedEnds.Add(new TargetEnd
    {
        RolloutId = CommandEnvelope.ToBytes(rollout.Id),
        CommandId = target.Command.CommandId,
        Phase = phase,
        Result = result,
        Detail = detail,
    });

    private void WriteEndsNeedsLock()
    {
        if (_owedEnds.Count > 0)
        {
            TargetsEnded ended = new();
            ended.Targets.AddRange(_owedEnds);
            if (!TryWriteNeedsLock(new CommandBookRecord { Ended = ended }))
            {
                return; // Nodes are not told, so they offer it again; and it is tried again.
            }

            _owedEnds.Clear();
        }

        foreach ((ICommandOutlet outlet, List<ByteString> ids) in _toSettle)
        {
            CommandsSettled settled = new() { Head = AuditRecords.ToMessage(_journal.Head) };
            settled.CommandIds.AddRange(ids);
            outlet.Offer(new AggregatorMessage { Settled = settled });
        }

        _toSettle.Clear();
    }

    private void AdvanceNeedsLock(Rollout rollout)
    {
        long now = NowMs;
        if (rollout.Phase == RolloutPhase.AwaitingApproval && rollout.Targets.All(target => now > target.Command.NotAfterUnixMs))
        {
            CloseNeedsLock(rollout, RolloutPhase.Stopped, "its window passed before a second person signed", "");
        }

        if (rollout.Phase != RolloutPhase.Running || _book.Halt.Halted)
        {
            return;
        }

        int failed = rollout.Failed;
        if (failed >= RolloutRules.FailuresToStop(rollout.Targets.Count) && rollout.Targets.Any(target => target.Phase == TargetPhase.Waiting))
        {
            StopNeedsLock(rollout, $"{failed} of {rollout.Targets.Count(target => target.HasEnded)} failed");
            return;
        }

        SendDueNeedsLock(rollout, now);
        if (!rollout.Targets.Where(target => target.Wave <= rollout.Wave).All(target => target.HasEnded))
        {
            return;
        }

        if (rollout.Wave == rollout.Waves - 1)
        {
            int skipped = rollout.Targets.Count(target => target.Phase == TargetPhase.Skipped);
            CloseNeedsLock(rollout, RolloutPhase.Done, skipped > 0 ? $"{skipped} were passed over" : "", "");
            return;
        }

        long waveEnded = rollout.Targets.Where(target => target.Wave == rollout.Wave).Max(target => target.EndedUnixMs);
        if (FindSilentNeedsLock(rollout, now) is { } silent)
        {
            StopNeedsLock(rollout, $"{silent} fell silent after its command");
        }
        else if (now - waveEnded >= rollout.Soak.TotalMilliseconds)
        {
            rollout.Wave++;
            _waveStarted[rollout.Id] = now;
            rollout.NoteChange();
            SendDueNeedsLock(rollout, now);
        }
    }

    private void SendDueNeedsLock(Rollout rollout, long now)
    {
        TargetsSent sent = new() { RolloutId = CommandEnvelope.ToBytes(rollout.Id) };
        List<RolloutTarget> due = [];
        int room = rollout.Description.Risk == RiskClass.R3 && !rollout.DryRun ? RoomNeedsLock(now) : int.MaxValue;
        foreach (RolloutTarget target in rollout.Targets.Where(target => target.Wave <= rollout.Wave && target.Phase == TargetPhase.Waiting))
        {
            if (now > target.Command.NotAfterUnixMs)
            {
                OweEndNeedsLock(rollout, target, TargetPhase.Skipped, null, "its window passed before its turn; sign it anew");
                target.Phase = TargetPhase.Skipped;
            }
            else if (_book.LaneOf(target.Node).Outlet is null)
            {
                PassOverNeedsLock(rollout, target, now);
            }
            else if (now >= target.Command.NotBeforeUnixMs && room-- > 0)
            {
                due.Add(target);
                sent.CommandIds.Add(target.Command.CommandId);
            }
        }

        string waits = room <= 0 ? $"waits: {RolloutRules.MostUnavailable(_fleet.Count)} of {_fleet.Count} nodes may be away at once" : "";
        if (rollout.Detail != waits)
        {
            rollout.Detail = waits;
            rollout.NoteChange();
        }

        if (due.Count == 0 || !TryWriteNeedsLock(new CommandBookRecord { Sent = sent }))
        {
            return;
        }

        due.ForEach(DeliverNeedsLock);
    }

    private void PassOverNeedsLock(Rollout rollout, RolloutTarget target, long now)
    {
        if (now - _waveStarted.GetValueOrDefault(rollout.Id, now) >= ConnectGrace.TotalMilliseconds)
        {
            OweEndNeedsLock(rollout, target, TargetPhase.Skipped, null, "it was not connected when its turn came");
            target.Phase = TargetPhase.Skipped;
        }
    }

    private void DeliverNeedsLock(RolloutTarget target)
    {
        NodeLane lane = _book.LaneOf(target.Node);
        target.SentOn = lane.Outlet;
        lane.Outlet?.Offer(new AggregatorMessage
        {
            Command = new CommandDelivery { CommandId = target.Command.CommandId, Envelope = target.Envelope.ToByteString() },
        });
    }

    // Nodes that may still be taken away: those that are down by themselves count, once they were ever seen today.
    private int RoomNeedsLock(long now)
    {
        HashSet<string> away = new(StringComparer.Ordinal);
        foreach (FleetNode node in _fleet.Nodes)
        {
            if (node.StateAt(now) == NodeState.Down && now - node.LastReceivedUnixMs < TimeSpan.FromDays(1).TotalMilliseconds)
            {
                away.Add(node.Name);
            }
        }

        foreach (Rollout rollout in _book.Rollouts.Where(rollout => rollout.Description.Risk == RiskClass.R3 && !rollout.DryRun))
        {
            away.UnionWith(rollout.Targets.Where(target => target.Phase == TargetPhase.Sent).Select(target => target.Node));
        }

        return RolloutRules.MostUnavailable(_fleet.Count) - away.Count;
    }

    // What is out: asked for again on a new connection, and given up on when nothing can come any more.
    private void WatchSentNeedsLock(Rollout rollout, long now)
    {
        foreach (RolloutTarget target in rollout.Targets.Where(target => target.Phase == TargetPhase.Sent))
        {
            NodeLane lane = _book.LaneOf(target.Node);
            if (now > target.Command.NotAfterUnixMs + rollout.Description.Deadline.TotalMilliseconds + AnswerGrace.TotalMilliseconds)
            {
                if (_owedEnds.All(end => end.CommandId != target.Command.CommandId))
                {
                    OweEndNeedsLock(rollout, target, TargetPhase.Unknown, null, "no answer came; it may have happened or not");
                }
            }
            else if (lane.Outlet is { } outlet && target.SentOn != outlet && lane.ReportedAt != 0 && !_book.Halt.Halted
                && now <= target.Command.NotAfterUnixMs && _time.GetElapsedTime(lane.ReportedAt) >= AnnounceGrace)
            {
                DeliverNeedsLock(target);
            }
        }
    }

    private string? FindSilentNeedsLock(Rollout rollout, long now)
    {
        if (rollout.DryRun || rollout.Description.Risk == RiskClass.R0)
        {
            return null;
        }

        return rollout.Targets
            .Where(target => target.Phase == TargetPhase.Succeeded)
            .Select(target => _fleet.Find(target.Node))
            .FirstOrDefault(node => node is not null && node.StateAt(now) != NodeState.Live && now - node.LastReceivedUnixMs > SilenceLimit.TotalMilliseconds)?.Name;
    }

    private void StopNeedsLock(Rollout rollout, string reason)
    {
        CloseNeedsLock(rollout, RolloutPhase.Stopped, reason, "");
        _log.Stopped(rollout.Id, rollout.Description.Name, rollout.Targets.Count(target => target.HasEnded && target.Phase != TargetPhase.Skipped), rollout.Targets.Count, reason);
    }

    // A disk that fails must not keep anything going: it counts in memory at once, and is written when the disk works again.
    private void CloseNeedsLock(Rollout rollout, RolloutPhase phase, string detail, string by)
    {
        CommandBookRecord record = new() { Closed = new RolloutClosed { RolloutId = CommandEnvelope.ToBytes(rollout.Id), Phase = phase, Detail = detail, By = by } };
        if (!TryWriteNeedsLock(record))
        {
            _book.Apply(0, record);
            _owedRecords.Add(record);
        }

        _log.Closed(rollout.Id, rollout.Description.Name, phase.ToString(), rollout.Targets.Count(target => target.Phase == TargetPhase.Succeeded), rollout.Targets.Count, detail);
    }

    // In memory they have been applied already.
    private bool TryWriteOwedNeedsLock()
    {
        while (_owedRecords.Count > 0)
        {
            if (_journal.Append(_owedRecords[0]) == 0)
            {
                return false;
            }

            _owedRecords.RemoveAt(0);
        }

        return true;
    }

    private bool TryWriteNeedsLock(CommandBookRecord record)
    {
        ulong index = TryWriteOwedNeedsLock() ? _journal.Append(record) : 0;
        if (index == 0)
        {
            if (!_isFailing)
            {
                _log.Fails();
            }

            _isFailing = true;
            return false;
        }

        _isFailing = false;
        _book.Apply(index, record);
        return true;
    }

    private void WriteHeadsNeedsLock()
    {
        NodesSeen seen = new();
        List<NodeLane> lanes = [.. _book.Lanes.Where(lane => lane.IsHeadNew)];
        if (lanes.Count == 0)
        {
            return;
        }

        seen.Nodes.AddRange(lanes.Select(CommandBook.HeadOf));
        if (TryWriteNeedsLock(new CommandBookRecord { Seen = seen }))
        {
            lanes.ForEach(lane => lane.IsHeadNew = false);
        }
    }

    private void CompactNeedsLock()
    {
        if (_journal.DiskBytes <= CommandJournal.CompactBytes)
        {
            return;
        }

        ulong oldest = _book.Rollouts.Where(rollout => rollout.IsOpen || rollout.Targets.Any(target => target.Phase == TargetPhase.Sent))
            .Select(rollout => rollout.FirstRecord).DefaultIfEmpty(_journal.Head.Index).Min();
        if (TryWriteNeedsLock(new CommandBookRecord { Checkpoint = _book.Checkpoint() }))
        {
            _journal.ReleaseBefore(oldest);
        }
    }

    private readonly record struct InboxItem(InboxKind Kind, string Node, ICommandOutlet? Outlet, AgentMessage? Message);
}
