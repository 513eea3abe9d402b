using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>
/// What the records so far come to: the same at a start and while running, so there is one place where a record's meaning is written down.
/// Under the desk's lock.
/// </summary>
internal sealed class CommandBook
{
    /// <summary>Closed rollouts that can still be looked at; the chain has the others.</summary>
    private const int MostKept = 200;

    /// <summary>Targets of closed rollouts: a kilobyte or two each.</summary>
    private const int MostKeptTargets = 50_000;

    private readonly Dictionary<Guid, Rollout> _rollouts = [];
    private readonly List<Rollout> _order = [];
    private readonly Dictionary<ByteString, (Rollout Rollout, RolloutTarget Target)> _byCommand = [];
    private readonly Dictionary<string, NodeLane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Oldest first.</summary>
    internal IReadOnlyList<Rollout> Rollouts => _order;

    internal IEnumerable<NodeLane> Lanes => _lanes.Values;

    internal HaltState Halt { get; private set; } = new();

    internal NodeLane LaneOf(string node)
    {
        if (!_lanes.TryGetValue(node, out NodeLane? lane))
        {
            _lanes[node] = lane = new NodeLane(node);
        }

        return lane;
    }

    internal NodeLane? FindLane(string node) => _lanes.GetValueOrDefault(node);

    internal bool TryFind(Guid id, [NotNullWhen(true)] out Rollout? rollout) => _rollouts.TryGetValue(id, out rollout);

    internal bool TryFindCommand(ByteString id, out Rollout rollout, out RolloutTarget target)
    {
        bool isFound = _byCommand.TryGetValue(id, out (Rollout Rollout, RolloutTarget Target) found);
        (rollout, target) = found;
        return isFound;
    }

    internal void Apply(ulong index, CommandBookRecord record)
    {
        switch (record.BodyCase)
        {
            case CommandBookRecord.BodyOneofCase.Opened: Open(index, record.Opened, record.WallUnixMs); break;
            case CommandBookRecord.BodyOneofCase.Approved: Approve(record.Approved); break;
            case CommandBookRecord.BodyOneofCase.Sent: Send(record.Sent); break;
            case CommandBookRecord.BodyOneofCase.Ended: End(record.Ended, record.WallUnixMs); break;
            case CommandBookRecord.BodyOneofCase.Closed: Close(record.Closed); break;
            case CommandBookRecord.BodyOneofCase.Halt: SetHalt(record.Halt); break;
            case CommandBookRecord.BodyOneofCase.Seen: See(record.Seen.Nodes); break;
            case CommandBookRecord.BodyOneofCase.Checkpoint:
                SetHalt(record.Checkpoint.Halt ?? new HaltState());
                See(record.Checkpoint.Nodes);
                break;
            default: break; // A later version's: it says nothing to this one.
        }
    }

    internal void SetHalt(HaltState halt) => Halt = halt;

    internal CommandBookCheckpoint Checkpoint()
    {
        CommandBookCheckpoint checkpoint = new() { Halt = Halt };
        checkpoint.Nodes.AddRange(_lanes.Values.Select(HeadOf));
        return checkpoint;
    }

    internal static NodeHead HeadOf(NodeLane lane)
    {
        NodeHead head = lane.Head?.Clone() ?? new NodeHead { Node = lane.Node };
        head.HighestSequence = lane.Sequence;
        return head;
    }

    /// <summary>The payload of an envelope that was taken: it has been through all checks.</summary>
    private static RolloutTarget TargetOf(SignedTarget signed, int wave)
    {
        SignedCommand envelope = SignedCommand.Parser.ParseFrom(signed.Envelope);
        return new RolloutTarget(signed.Node, wave, envelope, Command.Parser.ParseFrom(envelope.Payload));
    }

    private void Open(ulong index, RolloutOpened opened, long wallUnixMs)
    {
        if (opened.Targets.Count == 0)
        {
            return;
        }

        Command first = Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(opened.Targets[0].Envelope).Payload);
        if (!CommandCatalogue.TryFind(first.ActionCase, out CommandDescription? description))
        {
            return;
        }

        int[] waves = RolloutRules.Waves(opened.Targets.Count, first.DryRun || description.Risk == RiskClass.R0);
        Rollout rollout = new()
        {
            Id = CommandEnvelope.ToGuid(opened.RolloutId),
            Description = description,
            DryRun = first.DryRun,
            Selector = opened.Selector,
            Soak = TimeSpan.FromMilliseconds(opened.SoakMs),
            Approvals = (int)opened.Approvals,
            SubmittedUnixMs = wallUnixMs,
            Targets = [.. opened.Targets.Select((signed, place) => TargetOf(signed, waves[place]))],
            FirstRecord = index,
        };
        rollout.People.Add(opened.By);
        rollout.Phase = IsApproved(rollout) ? RolloutPhase.Running : RolloutPhase.AwaitingApproval;
        _rollouts[rollout.Id] = rollout;
        _order.Add(rollout);
        foreach (RolloutTarget target in rollout.Targets)
        {
            _byCommand[target.Command.CommandId] = (rollout, target);
            NodeLane lane = LaneOf(target.Node);
            lane.Sequence = Math.Max(lane.Sequence, target.Command.Sequence);
        }

        Forget();
    }

    private void Approve(RolloutApproved approved)
    {
        if (!_rollouts.TryGetValue(CommandEnvelope.ToGuid(approved.RolloutId), out Rollout? rollout))
        {
            return;
        }

        foreach (ApprovalSignature signature in approved.Signatures)
        {
            // A record that was tried again after a failing disk is there twice; a node would refuse one signer twice.
            if (rollout.Find(signature.CommandId) is { } target && target.Envelope.Signatures.All(known => known.KeyId != signature.Signature.KeyId))
            {
                target.Envelope.Signatures.Add(signature.Signature);
            }
        }

        if (!rollout.People.Contains(approved.By))
        {
            rollout.People.Add(approved.By);
        }

        rollout.Phase = rollout.Phase == RolloutPhase.AwaitingApproval && IsApproved(rollout) ? RolloutPhase.Running : rollout.Phase;
        rollout.NoteChange();
    }

    // Keys, not names: whose they are, every node decides by its own policy.
    private static bool IsApproved(Rollout rollout) => rollout.Targets.All(target =>
        target.Envelope.Signatures.Select(signature => signature.KeyId).Distinct().Count() >= rollout.Approvals);

    private void Send(TargetsSent sent)
    {
        foreach (ByteString id in sent.CommandIds)
        {
            if (!TryFindCommand(id, out Rollout rollout, out RolloutTarget target) || target.HasEnded)
            {
                continue;
            }

            target.Phase = TargetPhase.Sent;
            rollout.Wave = Math.Max(rollout.Wave, target.Wave);
            rollout.NoteChange();
        }
    }

    private void End(TargetsEnded ended, long wallUnixMs)
    {
        foreach (TargetEnd end in ended.Targets)
        {
            if (!TryFindCommand(end.CommandId, out Rollout rollout, out RolloutTarget target))
            {
                continue;
            }

            (target.Phase, target.Result, target.Detail, target.EndedUnixMs) = (end.Phase, end.Result, end.Detail, wallUnixMs);
            rollout.NoteChange();
        }
    }

    private void Close(RolloutClosed closed)
    {
        if (!_rollouts.TryGetValue(CommandEnvelope.ToGuid(closed.RolloutId), out Rollout? rollout))
        {
            return;
        }

        foreach (RolloutTarget target in rollout.Targets.Where(target => target.Phase == TargetPhase.Waiting))
        {
            (target.Phase, target.Detail) = (TargetPhase.Skipped, closed.Detail);
        }

        (rollout.Phase, rollout.Detail) = (closed.Phase, closed.Detail);
        rollout.NoteChange();
        Forget();
    }

    private void See(IEnumerable<NodeHead> nodes)
    {
        foreach (NodeHead head in nodes)
        {
            NodeLane lane = LaneOf(head.Node);
            lane.Head = head.Head is null ? lane.Head : head;
            lane.Sequence = Math.Max(lane.Sequence, head.HighestSequence);
        }
    }

    private void Forget()
    {
        int targets = _order.Sum(rollout => rollout.IsOpen ? 0 : rollout.Targets.Count);
        while ((_order.Count > MostKept || targets > MostKeptTargets) && _order.FindIndex(rollout => !rollout.IsOpen) is var oldest and >= 0)
        {
            Rollout gone = _order[oldest];
            _order.RemoveAt(oldest);
            _rollouts.Remove(gone.Id);
            targets -= gone.Targets.Count;
            foreach (RolloutTarget target in gone.Targets)
            {
                _byCommand.Remove(target.Command.CommandId);
            }
        }
    }
}
