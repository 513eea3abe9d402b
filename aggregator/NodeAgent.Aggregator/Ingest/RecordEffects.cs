using NodeAgent.Aggregator.Fleet;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// What a stream's records do to the store, the events and the node: one place for records that arrive and for those that are read
/// back from the log, so that a restart leads to the same state. Decides nothing about duplicates or times; it is told.
/// </summary>
internal sealed class RecordEffects
{
    private readonly NodeIntake _intake;
    private readonly IngestCore _core;
    private readonly Lane _lane;
    private readonly IngestCounters _counters;
    private readonly FrameApplier _applier;

    internal RecordEffects(NodeIntake intake, Lane lane, IngestCore core, IngestCounters counters)
    {
        _intake = intake;
        _lane = lane;
        _core = core;
        _counters = counters;
        Schemas = new SchemaTable(intake.Node.Name, core.Store);
        _applier = new FrameApplier(Schemas, core.Store, counters, lane == Lane.Live ? core.Tap : null);
        if (lane == Lane.Live)
        {
            intake.LiveSchemas = Schemas;
        }
    }

    internal SchemaTable Schemas { get; }

    /// <summary>Why something of the last frame was not stored; empty: nothing was wrong with it.</summary>
    internal string Problem => _applier.Problem;

    /// <summary>Something of the last frame could not be read because what it builds on is not there.</summary>
    internal bool LacksBase => _applier.LacksBase;

    private FleetNode Node => _intake.Node;

    /// <summary>What a hello says of the node.</summary>
    internal static void TakeHello(FleetNode node, Hello hello, long receivedUnixMs)
    {
        node.AgentVersion = hello.AgentVersion;
        node.BootId = hello.BootId;
        node.ClockOffsetMs = hello.WallUnixMs - receivedUnixMs;
        if (hello.SpoolEpoch != node.SpoolEpoch)
        {
            return; // a backlog of an earlier life, with counts of its own
        }

        node.DroppedRecords = hello.DroppedRecords;
        node.ThinnedRecords = hello.ThinnedRecords;
    }

    /// <summary>Null: taken; else why its blocks will be passed over.</summary>
    internal string? TakeSchema(Schema schema, ReadOnlySpan<byte> message)
    {
        string? problem = Schemas.Add(schema, message);
        if (_lane == Lane.Backlog)
        {
            _intake.LiveSchemas?.Reassert(schema.Sampler);
        }

        if (_lane == Lane.Live || Node.ShortestIntervalMs == 0)
        {
            Node.ShortestIntervalMs = Schemas.ShortestIntervalMs;
        }

        return problem;
    }

    /// <summary>Takes a frame: its blocks, and what it says of the node.</summary>
    /// <param name="frame">Opened.</param>
    /// <param name="unixMs">Its time, corrected.</param>
    /// <param name="isNew">False: only a base for those that follow.</param>
    /// <param name="isInFiles">The store has its samples; what it says of the node counts all the same.</param>
    /// <param name="bytes">Of the message.</param>
    /// <param name="receivedUnixMs">When it came.</param>
    /// <param name="logId">Under which it is in the log.</param>
    internal void TakeFrame(ref FrameReader frame, long unixMs, bool isNew, bool isInFiles, int bytes, long receivedUnixMs, ulong logId)
    {
        int samples = _applier.Apply(ref frame, unixMs, isNew && !isInFiles, logId);
        if (!isNew)
        {
            return;
        }

        _counters.AddFrame(samples, bytes);
        Node.LastReceivedUnixMs = receivedUnixMs;

        // What a backlog brings is old news of the node, unless there is none that is newer.
        if (_lane == Lane.Live || unixMs > Node.LastFrameUnixMs + Node.ClockCorrectionMs)
        {
            Node.Clock = frame.Clock;
            Node.LastFrameUnixMs = frame.WallUnixMs;
            Node.ClockCorrectionMs = unixMs - frame.WallUnixMs;
        }
    }

    /// <summary>Keeps an event, unless the same one of the kernel's log came in an earlier epoch. False: it did.</summary>
    internal bool TakeEvent(Event record, long receivedUnixMs, ulong logId)
    {
        Node.LastReceivedUnixMs = receivedUnixMs;
        if (record.HasKernelSequence && !_intake.KernelLog.IsNew(record.BootId, record.KernelSequence))
        {
            return false;
        }

        _core.AddEvent(Node.Name, record, receivedUnixMs, logId);
        return true;
    }

    internal void TakeInventory(Inventory record, long receivedUnixMs)
    {
        Node.LastReceivedUnixMs = receivedUnixMs;

        // A backlog may bring what the host was made of before.
        if (_lane == Lane.Live || Node.Inventory is not { } present || record.WallUnixMs >= present.WallUnixMs)
        {
            Node.Inventory = record;
        }
    }
}
