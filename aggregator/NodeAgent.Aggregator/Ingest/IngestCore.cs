using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Contracts.Sequences;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>How an attempt to open a stream ended.</summary>
/// <param name="Stream">Null: refused.</param>
/// <param name="Welcome">The answer to the hello.</param>
/// <param name="Refusal">Why it was refused; OK otherwise.</param>
/// <param name="Displaced">Streams that must end because this one took their place.</param>
internal readonly record struct LinkOpening(LinkStream? Stream, Welcome? Welcome, Status Refusal, IReadOnlyList<LinkStream> Displaced);

/// <summary>What ingest stands on; each can be replaced in tests.</summary>
internal sealed record IngestParts(ITimeSeriesStore Store, FleetRegistry Fleet, EventLedger Events, IngestCounters Counters);

/// <summary>
/// Ingest as a whole, synchronous: streams, the write-ahead log under them, and what the log brings back after a restart. It starts no
/// thread and reads no clock; it commits when told to (<see cref="Commit"/>) and looks after itself when told to (<see cref="Maintain"/>).
/// Streams may be driven from many threads; Commit and Maintain each from one.
/// <para>
/// The promise: a record is acknowledged only when it is on the disk, and after any crash all acknowledged records are there, once.
/// </para>
/// </summary>
internal sealed class IngestCore : IDisposable
{
    /// <summary>The version of the contract spoken here.</summary>
    internal const uint Protocol = 1;

    private const int MostHeldRanges = 64;

    private readonly ConcurrentDictionary<string, NodeIntake> _nodes = new(StringComparer.Ordinal);
    private readonly LogUpkeep _upkeep;
    private readonly Lock _randomLock = new();
    private readonly Random _random;

    private IngestCore(IngestOptions options, IngestParts parts, Random random, WriteAheadLog wal, QuarantineLog quarantine, EventJournal journal)
    {
        Options = options;
        Store = parts.Store;
        Fleet = parts.Fleet;
        Events = parts.Events;
        Counters = parts.Counters;
        Wal = wal;
        Quarantine = quarantine;
        Journal = journal;
        _random = random;
        _upkeep = new LogUpkeep(this);
    }

    internal IngestOptions Options { get; }

    internal ITimeSeriesStore Store { get; }

    internal FleetRegistry Fleet { get; }

    internal EventLedger Events { get; }

    internal IngestCounters Counters { get; }

    internal WriteAheadLog Wal { get; }

    internal QuarantineLog Quarantine { get; }

    internal EventJournal Journal { get; }

    /// <summary>All nodes that ever had a stream.</summary>
    internal IEnumerable<NodeIntake> Nodes => _nodes.Select(static pair => pair.Value); // without a copy

    /// <summary>
    /// Opens the log, or makes it, and brings back what it holds. Fails as <see cref="DurableLog.TryOpen"/> does.
    /// </summary>
    /// <param name="options">Where and how much.</param>
    /// <param name="files">The disk.</param>
    /// <param name="time">For the journals alone: when to try a failed disk again.</param>
    /// <param name="random">For the jitter of retry hints.</param>
    /// <param name="parts">What is filled.</param>
    /// <param name="now">The time of the start: what is older than retention is not brought back.</param>
    /// <param name="core">Null: it did not open.</param>
    /// <param name="error">Why.</param>
    internal static bool TryOpen(
        IngestOptions options, IFileOps files, TimeProvider time, Random random, IngestParts parts, Moment now,
        [NotNullWhen(true)] out IngestCore? core, [NotNullWhen(false)] out OpenError? error)
    {
        core = null;
        if (!WriteAheadLog.TryOpen(options, files, time, out WriteAheadLog? wal, out error))
        {
            return false;
        }

        if (!EventJournal.TryOpen(options, files, time, wal.Recovery.JournalId, parts.Events, out EventJournal? journal, out error))
        {
            wal.Dispose();
            return false;
        }

        if (!QuarantineLog.TryOpen(options, files, time, out QuarantineLog? quarantine, out error))
        {
            wal.Dispose();
            journal.Dispose();
            return false;
        }

        if (parts.Store is IDurableStore durable && !durable.UseLog(wal.Recovery.JournalId, wal.LastId))
        {
            wal.Dispose();
            journal.Dispose();
            quarantine.Dispose();
            error = new OpenError(OpenFailure.Disk, "store: the disk refuses to note which log it goes with");
            return false;
        }

        core = new IngestCore(options, parts, random, wal, quarantine, journal);
        parts.Store.Maintain(now.UnixMs);
        using (parts.Store is DurableStore withFiles ? withFiles.BeginReplay() : null)
        {
            new WalReplay(core, core._upkeep).Run();
        }

        return true;
    }

    /// <summary>Where what agents say of commands goes; null: nowhere.</summary>
    internal ICommandPost? Commands { get; set; }

    /// <summary>Who sees what is taken in; hung on once the log is read back.</summary>
    internal IngestTap Tap { get; } = new();

    /// <summary>From which record on somebody still reads the log beside the store; the largest number: nobody does.</summary>
    internal Func<ulong> LogReadFrom { get; set; } = () => ulong.MaxValue;

    /// <summary>Answers a hello. The streams it displaces have ended; their owners should be told.</summary>
    internal LinkOpening Open(string node, Hello hello, Moment now)
    {
        if (hello.Protocol != Protocol)
        {
            return Refuse(StatusCode.FailedPrecondition, $"protocol {hello.Protocol} is not spoken here; this aggregator speaks {Protocol}");
        }

        if (hello.SpoolEpoch == 0)
        {
            return Refuse(StatusCode.InvalidArgument, "hello.spool_epoch must not be 0");
        }

        NodeIntake intake = IntakeOf(node, now.UnixMs);
        lock (intake.Gate)
        {
            return OpenNeedsGate(intake, hello, now);
        }
    }

    /// <summary>
    /// Makes durable what was taken before the call: streams may have acknowledgements to send afterwards. False: the disk fails; taken
    /// records stay in memory and are written when it works again.
    /// </summary>
    internal bool Commit()
    {
        // Events that a stream has logged and not yet added wait for the next time.
        ulong settled = Journal.HasWaiting ? SettledId() : 0;
        Quarantine.Commit();
        bool isDone = Wal.Commit();
        _ = Journal.Commit(Math.Min(settled, Wal.DurableId)); // what it lacks the log has
        return isDone;
    }

    /// <summary>To be called about once a second: the upkeep that is due by now.</summary>
    internal void MaintainWhatIsDue(Moment now)
    {
        Store.Maintain(now.UnixMs);
        if (_upkeep.IsDue(now))
        {
            _upkeep.Run(now);
        }
    }

    /// <summary>The store's upkeep, and the log's.</summary>
    internal void Maintain(Moment now)
    {
        Store.Maintain(now.UnixMs);
        _upkeep.Run(now);
    }

    /// <summary>The newest log record of which the effects, and those of all before it, are complete.</summary>
    internal ulong SettledId()
    {
        ulong id = Wal.LastId;
        foreach ((_, NodeIntake intake) in _nodes)
        {
            // Whoever held the gate was between taking a record and its effects.
            lock (intake.Gate)
            {
            }
        }

        return id;
    }

    /// <summary>A wait with jitter on top, so that those who were told at once do not come back at once.</summary>
    internal long Jitter(long milliseconds)
    {
        lock (_randomLock)
        {
#pragma warning disable CA5394 // Not for secrets.
            return milliseconds + _random.NextInt64((milliseconds / 2) + 1);
#pragma warning restore CA5394
        }
    }

    /// <summary>Puts an event where people look, and where it outlasts the log.</summary>
    internal void AddEvent(string node, Event record, long receivedUnixMs, ulong logId)
    {
        if (logId > Journal.LastLogId)
        {
            Journal.Add(Events.Add(node, record, receivedUnixMs), logId);
            Tap.Follower?.OnEvent(node, record, receivedUnixMs);
        }
    }

    /// <summary>Notes in the log that records were set aside. 0: there is no room.</summary>
    internal ulong LogSetAside(ulong stream, SequenceSpan records)
    {
        Span<byte> payload = stackalloc byte[30];
        int length = WalFields.WriteVarint(payload, stream);
        length += WalFields.WriteVarint(payload[length..], records.First);
        length += WalFields.WriteVarint(payload[length..], records.Last);
        return Wal.Append(WalRecordType.SetAside, payload[..length]);
    }

    internal NodeIntake IntakeOf(string node, long nowUnixMs) =>
        _nodes.TryGetValue(node, out NodeIntake? intake) ? intake
            : _nodes.GetOrAdd(
                node, static (name, arg) => new NodeIntake(arg.Fleet.GetOrAdd(name, arg.Now), arg.Options) { ReplayLane = (uint)arg._nodes.Count }, (Fleet, Now: nowUnixMs, Options, _nodes));

    /// <summary>Commits and closes the journals. Streams must have ended; the store is the caller's.</summary>
    public void Dispose()
    {
        Commit();
        Wal.Dispose();
        Journal.Dispose();
        Quarantine.Dispose();
    }

    private LinkOpening OpenNeedsGate(NodeIntake intake, Hello hello, Moment now)
    {
        byte[] opening = new WalOpening(intake.Node.Name, now.UnixMs, hello).ToBytes();
        ulong id = Wal.Append(WalRecordType.Open, opening);
        if (id == 0)
        {
            return Refuse(StatusCode.ResourceExhausted, "the aggregator's log has no room: its disk fails");
        }

        HeldRecords held = intake.Epoch(hello.SpoolEpoch, hello.Lane);
        held.NoteBoot(hello.Boot, hello.MonotonicNs, now.UnixMs);
        intake.Log.OnOpened(id);
        intake.StateAtBytes = intake.StateAtBytes == 0 ? Wal.Bytes : intake.StateAtBytes;
        intake.Settle(Wal.DurableId);
        held.Skip(hello.FirstHeldSequence);
        LinkStream stream = new(this, intake, held, hello, id, now);
        RecordEffects.TakeHello(intake.Node, hello, now.UnixMs);
        List<LinkStream> displaced = intake.Attach(stream);
        displaced.ForEach(former => former.Displace());
        return new LinkOpening(stream, Welcome(intake, held, now), Status.DefaultSuccess, displaced);
    }

    private Welcome Welcome(NodeIntake intake, HeldRecords held, Moment now)
    {
        Welcome welcome = new()
        {
            Protocol = Protocol,
            AggregatorVersion = Options.Version,
            Node = intake.Node.Name,
            AcknowledgedSequence = held.Durable.Prefix,
            WallUnixMs = now.UnixMs,
        };
        ReadOnlySpan<SequenceSpan> beyond = held.Durable.Ranges[(held.Durable.Prefix > 0 ? 1 : 0)..];
        foreach (SequenceSpan range in beyond[Math.Max(0, beyond.Length - MostHeldRanges)..])
        {
            welcome.Held.Add(new SequenceRange { First = range.First, Last = range.Last });
        }

        return welcome;
    }

    private static LinkOpening Refuse(StatusCode code, string reason) => new(null, null, new Status(code, reason), []);
}
