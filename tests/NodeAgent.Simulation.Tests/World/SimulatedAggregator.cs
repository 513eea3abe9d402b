using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.V1;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>One life of the aggregator: its real ingest over a simulated disk, and the streams it has.</summary>
internal sealed class SimulatedAggregator
{
    private readonly SimulatedTime _time;
    private readonly IngestCore _core;
    private readonly List<SimulatedSession> _sessions = [];
    private TimeSpan _maintainAt;
    private TimeSpan _commitAt;
    private bool _hasTaken;

    private readonly SetAside _onSetAside;

    private SimulatedAggregator(SimulatedTime time, IngestCore core, LedgerStore store, SetAside onSetAside)
    {
        _time = time;
        _core = core;
        Store = store;
        _onSetAside = onSetAside;
    }

    internal bool IsAlive { get; private set; } = true;

    internal LedgerStore Store { get; }

    internal IngestCore Core => _core;

    private Moment Now => Moment.Of(_time);

    /// <summary>Starts on a disk, with what an earlier life left there. Null: the disk did not let it.</summary>
    internal static SimulatedAggregator? TryStart(SimulatedTime time, SimulatedDisk disk, Random random, SetAside onSetAside, out string problem)
    {
        LedgerStore store = new();
        IngestParts parts = new(store, new FleetRegistry(), new EventLedger(1000), new IngestCounters());
        IngestOptions options = new()
        {
            Directory = "/aggregator",
            Version = "sim",
            WalSegmentBytes = 1 << 20,
            WalMaxBytes = 64 << 20,
            WalPendingBytes = 1 << 20,
            RelogBytes = 256 << 10,
            RetentionMs = 500L * 86_400_000, // clocks jump by more than a year
        };
        bool isOpen = IngestCore.TryOpen(options, disk, time, random, parts, Moment.Of(time), out IngestCore? core, out OpenError? error);
        problem = isOpen ? "" : error!.Message;
        return isOpen ? new SimulatedAggregator(time, core!, store, onSetAside) : null;
    }

    internal SimulatedSession? Open(string node, SimulatedStream stream, byte[] hello)
    {
        LinkOpening opening = _core.Open(node, AgentMessage.Parser.ParseFrom(hello).Hello, Now);
        foreach (SimulatedSession displaced in _sessions.FindAll(session => opening.Displaced.Contains(session.Link)))
        {
            displaced.End(displaced.Link.End ?? new Status(StatusCode.AlreadyExists, "displaced"));
        }

        if (opening.Stream is null)
        {
            stream.End(opening.Refusal);
            return null;
        }

        stream.Answer(new AggregatorMessage { Welcome = opening.Welcome }.ToByteArray());
        SimulatedSession opened = new(this, opening.Stream, stream);
        _sessions.Add(opened);
        return opened;
    }

    internal void Take(LinkStream link, byte[] message)
    {
        _hasTaken = true;
        (long rejected, long quarantined) = (_core.Counters.RejectedRecords, _core.Counters.QuarantinedRecords);
        bool isRejected = link.Take(message, Now) == IntakeOutcome.Rejected;
        long more = isRejected ? 1 : 0;
        if (_core.Counters.RejectedRecords - rejected != more || _core.Counters.QuarantinedRecords - quarantined != more)
        {
            throw new SimulationException($"{link.Intake.Node.Name}: record {link.LastSequence:x} was {(isRejected ? "" : "not ")}set aside, and the counters do not say so");
        }

        if (isRejected && !_onSetAside(link.Intake.Node.Name, link.Hello.SpoolEpoch, link.LastSequence, link.Reason))
        {
            throw new SimulationException($"{link.Intake.Node.Name}: epoch {link.Hello.SpoolEpoch:x}, record {link.LastSequence:x} was set aside without need: {link.Reason}");
        }
    }

    internal void Forget(SimulatedSession session) => _sessions.Remove(session);

    /// <summary>What the commit thread and the timers do.</summary>
    internal void Step()
    {
        if ((_hasTaken && _time.Elapsed >= _commitAt) || _core.Wal.IsFailing)
        {
            _commitAt = _time.Elapsed + TimeSpan.FromMilliseconds(50);
            _hasTaken = !_core.Commit();
        }

        if (_time.Elapsed >= _maintainAt)
        {
            _maintainAt = _time.Elapsed + TimeSpan.FromSeconds(1);
            _core.Maintain(Now);
        }

        foreach (SimulatedSession session in _sessions.ToArray())
        {
            session.SendAnswers(Now);
        }
    }

    /// <summary>An orderly end.</summary>
    internal void Stop()
    {
        foreach (SimulatedSession session in _sessions.ToArray())
        {
            session.SendAnswers(Now);
            session.End(new Status(StatusCode.Unavailable, "the aggregator is stopping"));
        }

        IsAlive = false;
        _core.Dispose();
    }

    /// <summary>The process is gone. What it held in memory is never looked at again.</summary>
    internal void Die()
    {
        IsAlive = false;
        _sessions.Clear();
    }
}

/// <summary>A record was set aside for this reason. False: that must not happen to it.</summary>
internal delegate bool SetAside(string node, ulong epoch, ulong sequence, string reason);

/// <summary>A stream as the aggregator's shell drives it.</summary>
internal sealed class SimulatedSession(SimulatedAggregator aggregator, LinkStream link, SimulatedStream stream)
{
    internal LinkStream Link => link;

    internal void Take(byte[] message)
    {
        aggregator.Take(link, message);
        if (link.End is { } end)
        {
            End(end);
        }
    }

    internal void Complete() => link.CompleteRequests();

    internal void SendAnswers(Moment now)
    {
        while (link.TryNextAnswer(now, out LinkAnswer answer))
        {
            AggregatorMessage message = answer.Message ?? new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = answer.Acknowledged } };
            stream.Answer(message.ToByteArray());
        }

        if (link.IsSettled)
        {
            End(Status.DefaultSuccess);
        }
    }

    internal void End(Status status)
    {
        stream.End(status);
        Close();
    }

    internal void Close()
    {
        link.Close();
        aggregator.Forget(this);
    }
}
