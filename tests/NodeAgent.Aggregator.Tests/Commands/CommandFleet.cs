using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Commands;
using NodeAgent.Commands.Envelope;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.V1;
using Rollout = NodeAgent.V1.Rollout;

namespace NodeAgent.Aggregator.Tests.Commands;

/// <summary>
/// A desk on a simulated disk, two people who sign, and nodes that are told things. The nodes are played: they count what they did by
/// command, and answer as the test says.
/// </summary>
internal sealed class CommandFleet : IDisposable
{
    internal const string FleetName = "test";

    private readonly CapturingLogger _captured = new();
    private readonly ECDsa _anna = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _ben = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal CommandFleet(int nodes = 1)
    {
        for (int i = 1; i <= nodes; i++)
        {
            PlayedNode node = new($"n{i:000}");
            Nodes.Add(node.Name, node);
            FleetNode known = Registry.GetOrAdd(node.Name, Now);
            known.OpenStreams = 1;
            known.LastReceivedUnixMs = Now;
        }

        Start();
    }

    internal SimulatedTime Time { get; } = new();

    internal SimulatedDisk Disk { get; } = new(3);

    internal FleetRegistry Registry { get; } = new();

    internal SortedDictionary<string, PlayedNode> Nodes { get; } = new(StringComparer.Ordinal);

    internal CommandDesk Desk { get; private set; } = null!;

    internal IEnumerable<string> Events => _captured.Events.Select(happened => happened.Name);

    internal long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    private ICommandPost Post => Desk;

    /// <summary>The aggregator ends without a word, and another one begins on what is on the disk.</summary>
    internal void Restart()
    {
        Disk.KillProcess();
        Start();
    }

    /// <summary>A node's live stream is (re)opened: it reports, and offers what it owes.</summary>
    internal void Connect(PlayedNode node)
    {
        node.Outlet = new PlayedOutlet();
        Post.Opened(node.Name, node.Outlet);
        Post.Take(node.Name, new AgentMessage { Actuator = node.Report() });
        foreach (CommandResult result in node.Unreported)
        {
            Post.Take(node.Name, new AgentMessage { CommandAnswer = new CommandAnswer { CommandId = result.CommandId, Result = result } });
        }

        Desk.Step();
    }

    internal void Disconnect(PlayedNode node)
    {
        Post.Closed(node.Name, node.Outlet!);
        node.Outlet = null;
        Desk.Step();
    }

    /// <summary>Nodes do what has arrived and say so, until nothing more arrives.</summary>
    internal void Settle()
    {
        for (bool any = true; any;)
        {
            any = false;
            foreach (PlayedNode node in Nodes.Values.Where(node => node.Outlet is not null))
            {
                while (node.Outlet!.Messages.TryDequeue(out AggregatorMessage? message))
                {
                    any = true;
                    foreach (AgentMessage answer in node.Take(message))
                    {
                        Post.Take(node.Name, answer);
                    }
                }
            }

            Desk.Step();
        }
    }

    /// <summary>Time goes by, a second at a time, with live nodes heard of.</summary>
    internal void Pass(TimeSpan time)
    {
        for (int second = 0; second < time.TotalSeconds; second++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            foreach (PlayedNode node in Nodes.Values.Where(node => !node.IsSilent && node.Outlet is not null))
            {
                Registry.Find(node.Name)!.LastReceivedUnixMs = Now;
            }

            Desk.Tick();
            Desk.Step();
            Settle();
        }
    }

    internal Rollout Look(Rollout rollout) => Desk.Look(rollout.RolloutId, withPayloads: false).Message;

    internal static int Count(Rollout rollout, TargetPhase phase) => rollout.Targets.Count(target => target.Phase == phase);

    internal Rollout Run(string selector = "all", string kind = "no_op", Action<Command>? change = null, uint soakMs = 10_000, bool byBoth = false, string person = "operator/anna") =>
        Desk.Submit(person, Sign(selector, kind, change, soakMs, byBoth));

    internal SubmitRequest Sign(string selector, string kind, Action<Command>? change = null, uint soakMs = 10_000, bool byBoth = false)
    {
        bool dryRun = false;
        PrepareResponse prepared = Desk.Prepare(new PrepareRequest { Selector = selector, Kind = kind, DryRun = dryRun, SoakMs = soakMs });
        SubmitRequest request = new() { RolloutId = CommandEnvelope.ToBytes(Guid.NewGuid()), SoakMs = prepared.SoakMs, Selector = selector };
        foreach (CommandTarget target in prepared.Targets)
        {
            Command command = new()
            {
                CommandId = CommandEnvelope.ToBytes(Guid.NewGuid()),
                AgentId = CommandEnvelope.ToBytes(CommandIdentity.AgentOf(target.Fleet, target.Node, target.Incarnation.Span)),
                Sequence = target.Sequence,
                NotBeforeUnixMs = Now - 60_000,
                NotAfterUnixMs = Now + 14 * 60_000,
                Reason = "test",
                Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
                Risk = RiskClass.R1,
                NoOp = new NoOp(),
            };
            if (kind == "reboot")
            {
                command.Reboot = new Reboot();
                command.Risk = RiskClass.R3;
            }

            change?.Invoke(command);
            SignedCommand envelope = new CommandSigner(_anna, CommandIdentity.FleetOf(FleetName)).Sign(command);
            if (byBoth)
            {
                new CommandSigner(_ben, CommandIdentity.FleetOf(FleetName)).AddTo(envelope);
            }

            request.Targets.Add(new SignedTarget { Node = target.Node, Envelope = envelope.ToByteString() });
        }

        return request;
    }

    internal ApproveRequest Approval(Rollout rollout, bool byAnna = false)
    {
        ApproveRequest request = new() { RolloutId = rollout.RolloutId };
        CommandSigner signer = new(byAnna ? _anna : _ben, CommandIdentity.FleetOf(FleetName));
        foreach (TargetState target in Desk.Look(rollout.RolloutId, withPayloads: true).Message.Targets)
        {
            SignedCommand envelope = new() { Payload = target.Payload };
            signer.AddTo(envelope);
            request.Signatures.Add(new ApprovalSignature { CommandId = target.CommandId, Signature = envelope.Signatures[0] });
        }

        return request;
    }

    public void Dispose()
    {
        _anna.Dispose();
        _ben.Dispose();
    }

    private void Start()
    {
        CommandDesk? desk = CommandStart.TryOpen(CommandJournal.OptionsIn("/state") with { RetryDelay = TimeSpan.FromSeconds(1) }, Disk, Time, Registry, new CommandDeskLog(new Logger<CommandDeskLog>(_captured)), out string problem);
        Desk = desk ?? throw new InvalidOperationException(problem);
        foreach (PlayedNode node in Nodes.Values)
        {
            Connect(node);
        }
    }
}

/// <summary>What a node was told.</summary>
internal sealed class PlayedOutlet : ICommandOutlet
{
    internal Queue<AggregatorMessage> Messages { get; } = [];

    public void Offer(AggregatorMessage message) => Messages.Enqueue(message);
}

/// <summary>A node as the aggregator sees it.</summary>
internal sealed class PlayedNode(string name)
{
    private readonly byte[] _incarnation = RandomNumberGenerator.GetBytes(16);
    private readonly Dictionary<ByteString, CommandResult> _results = [];
    private readonly HashSet<ByteString> _reported = [];
    private ulong _highest;

    internal string Name => name;

    internal PlayedOutlet? Outlet { get; set; }

    /// <summary>It sends no telemetry.</summary>
    internal bool IsSilent { get; set; }

    /// <summary>Commands fail.</summary>
    internal bool Fails { get; set; }

    /// <summary>It takes commands and says nothing.</summary>
    internal bool IsDumb { get; set; }

    /// <summary>How often each command was delivered, and how often done.</summary>
    internal Dictionary<ByteString, int> Deliveries { get; } = [];

    internal int Done => _results.Count;

    internal IEnumerable<CommandResult> Unreported => _results.Values.Where(result => !_reported.Contains(result.CommandId));

    internal ulong ChainIndex { get; set; } = 5;

    internal ActuatorReport Report() => new()
    {
        Available = true,
        Fleet = CommandFleet.FleetName,
        Node = name,
        Incarnation = ByteString.CopyFrom(_incarnation),
        HighestSequence = _highest,
        Head = new ChainHead { Index = ChainIndex, Hash = ByteString.CopyFrom(new byte[32]) },
    };

    internal IEnumerable<AgentMessage> Take(AggregatorMessage message)
    {
        if (message.BodyCase == AggregatorMessage.BodyOneofCase.Settled)
        {
            _reported.UnionWith(message.Settled.CommandIds);
            yield break;
        }

        ByteString id = message.Command.CommandId;
        Deliveries[id] = Deliveries.GetValueOrDefault(id) + 1;
        CommandResult? earlier = _results.GetValueOrDefault(id);
        if (earlier is null)
        {
            _highest = Math.Max(_highest, Command.Parser.ParseFrom(SignedCommand.Parser.ParseFrom(message.Command.Envelope).Payload).Sequence);
            ChainIndex++;
            _results[id] = new CommandResult { CommandId = id, Outcome = Fails ? CommandOutcome.Failed : CommandOutcome.Done, Detail = Fails ? "no" : "yes" };
        }

        if (IsDumb)
        {
            yield break;
        }

        yield return new AgentMessage
        {
            CommandAnswer = new CommandAnswer
            {
                CommandId = id,
                Result = earlier is null ? _results[id] : new CommandResult { CommandId = id, Refusal = "replayed" },
                Earlier = earlier,
                Head = Report().Head,
                HighestSequence = _highest,
            },
        };
    }
}
