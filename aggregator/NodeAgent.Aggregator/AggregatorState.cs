using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Aggregator.Remote;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Storage;
using NodeAgent.Aggregator.Usage;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Programs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator;

/// <summary>
/// What the aggregator keeps on disk, opened room by room before anything is served: each may stand on those before it, and they close the other
/// way round. A feature with a journal of its own has one method here, one line in <see cref="Open"/> and one in <see cref="Journals"/>.
/// </summary>
internal sealed class AggregatorState : IAsyncDisposable
{
    private readonly ServiceContext<AggregatorOptions> _context;
    private readonly AggregatorOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    private AggregatorState(ServiceContext<AggregatorOptions> context, RepeatedEventGate gate, TimeProvider time)
    {
        (_context, _options, _time) = (context, context.Options, time);
        _log = context.Log.CreateLogger("aggregator");
        IngestLog = new IngestLog(context.Log.CreateLogger<IngestLog>(), gate);
        IdentityLog = new IdentityLog(context.Log.CreateLogger<IdentityLog>(), gate);
    }

    internal IngestLog IngestLog { get; }

    internal IdentityLog IdentityLog { get; }

    internal DurableStore Store { get; private set; } = null!;

    internal StoreWatch Watch { get; private set; } = null!;

    internal IngestCore Ingest { get; private set; } = null!;

    internal PlacementDesk Placement { get; private set; } = null!;

    internal IdentityRegistry Registry { get; private set; } = null!;

    internal CommandDesk Commands { get; private set; } = null!;

    internal JobWatch Jobs { get; private set; } = null!;

    /// <summary>Null: detection is switched off.</summary>
    internal DetectionParts? Detection { get; private set; }

    internal EngineLinks Engines { get; private set; } = null!;

    /// <summary>What a backup copies record by record, by room.</summary>
    internal IEnumerable<(string Room, DurableLog Log)> Journals
    {
        get
        {
            IEnumerable<(string Room, DurableLog Log)> always =
            [
                (StateRooms.Placement, Placement.Journal),
                (StateRooms.Identity, Registry.Journal),
                (StateRooms.Commands, Commands.Journal),
                (StateRooms.Jobs, Jobs.Ledger.Journal),
            ];
            return [.. Engines.Sink?.Journals ?? [], .. always, .. Detection is { } detection ? [(StateRooms.Incidents, detection.Desk.JournalLog)] : Array.Empty<(string, DurableLog)>()];
        }
    }

    /// <summary>Opens all rooms; what goes wrong is in the log, and nothing stays open.</summary>
    /// <returns><see cref="ExitCode.Ok"/>, or what the process ends with.</returns>
    internal static async Task<(ExitCode Code, AggregatorState? State)> OpenAsync(ServiceContext<AggregatorOptions> context, RepeatedEventGate gate, TimeProvider time)
    {
        AggregatorState state = new(context, gate, time);
        ExitCode code = state.Open();
        if (code == ExitCode.Ok)
        {
            return (code, state);
        }

        await state.CloseAsync(isWhole: false).ConfigureAwait(false);
        return (code, null);
    }

    internal static Random NewRandom() => new(RandomNumberGenerator.GetInt32(int.MaxValue));

    /// <summary>Only when nobody sends any more: what is in memory goes into files first, so that the next start has little to read back.</summary>
    public ValueTask DisposeAsync() => CloseAsync(isWhole: true);

    // If the disk refuses, the log still has it.
    private void Settle()
    {
        Ingest.Maintain(Moment.Of(_time));
        bool isDone = Store.Flush();
        Ingest.Maintain(Moment.Of(_time));
        Watch.Look();
        _log.Flushed(isDone);
    }

    private ExitCode Open()
    {
        if (File.Exists(Path.Combine(_options.State.Directory, StateRooms.UnfinishedRestore)))
        {
            Unusable("a restore was interrupted; run `aggregator restore` again");
            return ExitCode.StateUnusable;
        }

        bool isOpen = OpenStore() && OpenIngest() && OpenPlacement() && OpenRegistry() && OpenCommands() && OpenJobs() && OpenDetection();
        return !isOpen ? ExitCode.StateUnusable : OpenEngines() ? ExitCode.Ok : ExitCode.Usage;
    }

    // Where opening failed, what comes after the failure is not there.
    private async ValueTask CloseAsync(bool isWhole)
    {
        // These three follow ingest or the desk.
        if (Engines is not null)
        {
            await Engines.DisposeAsync().ConfigureAwait(false);
        }

        Detection?.Dispose();
        Jobs?.Dispose();
        if (isWhole)
        {
            Settle();
        }

        Commands?.Dispose();
        Registry?.Dispose();
        Placement?.Dispose();
        Ingest?.Dispose();
        Store?.Dispose();
    }

    private bool OpenStore()
    {
        ILogger log = _context.Log.CreateLogger("store");
        long start = _time.GetTimestamp();
        string directory = StoreOpening.DirectoryOf(_options);
        if (!StoreOpening.TryOpen(_options, IngestOptions().MaxAheadMs, _time, out DurableStore? store, out OpenError? error))
        {
            log.StateUnusable(directory, error.Message);
            return false;
        }

        Store = store;
        Watch = new StoreWatch(store, log);
        Watch.Opened(directory, _time.GetElapsedTime(start));
        return true;
    }

    private IngestOptions IngestOptions() => new()
    {
        Directory = _options.State.Directory,
        Version = _context.Version,
        RetentionMs = (long)_options.Store.LateWindow.TotalMilliseconds,
        WalMaxBytes = _options.Wal.MaxBytes,
        WalReaderBytes = Math.Min(_options.Sink.MaxLagBytes, _options.Wal.MaxBytes),
        QuarantineMaxBytes = _options.Wal.QuarantineMaxBytes,
        EventsMaxBytes = _options.Wal.EventsMaxBytes,
        RecordsPerSecond = _options.Quota.RecordsPerSecond,
        BytesPerSecond = _options.Quota.BytesPerSecond,
    };

    private bool OpenIngest()
    {
        long start = _time.GetTimestamp();
        IngestParts parts = new(Store, new FleetRegistry(), new EventLedger(_options.Store.MaxEvents), new IngestCounters());
        if (!IngestCore.TryOpen(IngestOptions(), FileOps.ForThisMachine(), _time, NewRandom(), parts, Moment.Of(_time), out IngestCore? ingest, out OpenError? error))
        {
            return Unusable(error.Message);
        }

        Ingest = ingest;
        IngestLog.Replayed(parts.Counters.ReplayedRecords, parts.Fleet.Count, _time.GetElapsedTime(start));
        RecoveryReport found = ingest.Wal.Recovery;
        long lost = Math.Max((long)found.LostRecords, parts.Counters.ReplayLosses);
        if (lost > 0)
        {
            IngestLog.Damaged(lost, found.TornBytes, found.Damages.Count + (found.MissingAtHead > 0 ? 1 : 0));
        }

        return true;
    }

    private bool OpenPlacement()
    {
        PlacementLog log = new(_context.Log.CreateLogger<PlacementLog>());
        PlacementDesk? desk = PlacementStart.TryOpen(
            PlacementJournal.OptionsIn(_options.State.Directory), FileOps.ForThisMachine(), _time, new FleetView(Ingest.Fleet, Store), log, out string problem);
        Placement = desk!;
        return desk is not null || Unusable(problem);
    }

    private bool OpenRegistry()
    {
        bool isOpen = IdentityRegistry.TryOpen(
            IdentityJournal.OptionsIn(_options.State.Directory), FileOps.ForThisMachine(), _time, IdentityLog, out IdentityRegistry? registry, out OpenError? error);
        Registry = registry!;
        return isOpen || Unusable(error!.Message);
    }

    private bool OpenCommands()
    {
        CommandDeskLog log = new(_context.Log.CreateLogger<CommandDeskLog>());
        CommandDesk? desk = CommandStart.TryOpen(
            CommandJournal.OptionsIn(_options.State.Directory), FileOps.ForThisMachine(), _time, Ingest.Fleet, log, out string problem);
        Commands = desk!;
        return desk is not null || Unusable(problem);
    }

    private bool OpenJobs()
    {
        bool isOpen = JobWatch.TryOpen(_options.State.Directory, FileOps.ForThisMachine(), _time, Placement, out JobWatch? jobs, out OpenError? error);
        Jobs = jobs!;
        return isOpen || Unusable(error!.Message);
    }

    private bool OpenDetection()
    {
        if (!_options.Detection.Enabled)
        {
            return true;
        }

        DetectionLog log = new(_context.Log.CreateLogger<DetectionLog>());
        Detection = DetectionParts.TryOpen(_options.Detection, _options.State.Directory, FileOps.ForThisMachine(), _time, Ingest, Placement.PlacedJobs, log, out string problem);
        return Detection is not null || Unusable(problem);
    }

    private bool OpenEngines()
    {
        ILogger log = _context.Log.CreateLogger("sink");
        bool isOpen = EngineLinks.TryOpen(
            _options, http => new SinkParts(Ingest, _options.Store.MaxSeriesPerNode, FileOps.ForThisMachine(), http, _time, NewRandom(), log), Store, log, out EngineLinks? engines);
        Engines = engines!;
        return isOpen;
    }

    private bool Unusable(string problem)
    {
        _log.StateUnusable(_options.State.Directory, problem);
        return false;
    }
}
