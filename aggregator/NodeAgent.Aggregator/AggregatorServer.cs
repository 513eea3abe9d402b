using System.Net;
using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Operations;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Aggregator.Query;
using NodeAgent.Aggregator.Remote;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Storage;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Programs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Health;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Backup;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace NodeAgent.Aggregator;

/// <summary>The aggregator put together: store, engine, services, Kestrel. Composition only.</summary>
internal sealed class AggregatorServer : IAsyncDisposable
{
    /// <summary>The name under which the health service says whether what comes in can be made durable.</summary>
    internal const string DurableService = "durable";

    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromSeconds(1);

    private readonly AggregatorOptions _options;
    private readonly ILogger _log;
    private readonly RepeatedEventGate _gate;
    private readonly TimeProvider _time;
    private readonly HealthService _health = new();
    private readonly DurableStore _store;
    private readonly StoreWatch _watch;
    private readonly IngestCore _ingest;
    private readonly IngestLog _ingestLog;
    private readonly CommitLoop _commits;
    private readonly CommandDesk _commands;
    private readonly PlacementDesk _placement;
    private readonly PlacementService _placementService;
    private readonly AgentLinkService _link;
    private readonly RpcServer _rpc;
    private readonly ServerTls? _tls;
    private readonly HttpClient _sinkHttp;
    private readonly HttpClient _remoteHttp;
    private readonly Sink? _sink;
    private readonly WebApplication _app;

    private AggregatorServer(
        AggregatorOptions options, ILoggerFactory logs, ServerTls? tls, string version, TimeProvider time, RepeatedEventGate gate,
        DurableStore store, StoreWatch watch, IngestCore ingest, IngestLog ingestLog, PlacementDesk placement, CommandDesk commands)
    {
        _options = options;
        _log = logs.CreateLogger("aggregator");
        _gate = gate;
        _time = time;
        _tls = tls;
        _store = store;
        _watch = watch;
        _ingest = ingest;
        _ingestLog = ingestLog;
        _commands = commands;
        ingest.Commands = commands;
        _placement = placement;
        _placementService = new PlacementService(placement);
        AccessPolicy policy = new(options.Listen.Plaintext);
        _rpc = new RpcServer(new RpcServerOptions
        {
            Identify = policy.IdentifyAsync,
            Authorise = AccessPolicy.Authorise,
            OnCallEnded = LogFailure,
            TimeProvider = time,
        });
        _remoteHttp = new HttpClient { Timeout = options.RemoteRead.Timeout };
        AggregatorFacts facts = new(version, time.GetUtcNow().ToUnixTimeMilliseconds(), _rpc.Admission);
        _commits = new CommitLoop(ingest, options.Wal.CommitInterval, OnDiskHealth);
        _link = new AgentLinkService(ingest, _commits, time, ingestLog, _rpc.Draining);
        QueryService query = new(_store, new QueryEngine(QueriedStore(options.RemoteRead), options.Query.Limits, time), ingest, time, facts, options.Usage) { SinkStatus = () => _sink?.Status() };
        _sinkHttp = Sink.Client(options.Sink);
        _sink = Sink.TryOpen(options.Sink, new SinkParts(
            ingest, options.Store.MaxSeriesPerNode, FileOps.ForThisMachine(), _sinkHttp, time, NewRandom(), logs.CreateLogger("sink")));
        AdminService admin = new(options.Backup, ingest, _commits.CallAfterCommit, [.. _sink?.Journals ?? [], (StateRooms.Placement, placement.Journal), (StateRooms.Commands, commands.Journal)], FileOps.ForThisMachine(), time, version);
        _rpc.AddService(Admin.BindService(admin));
        _rpc.AddService(V1.Commands.BindService(new CommandsService(commands)));
        _rpc.AddService(_link.Bind()).AddService(V1.Query.BindService(query)).AddService(V1.Placement.BindService(_placementService))
            .AddHealth(_health).AddReflection(AgentLink.Descriptor, V1.Query.Descriptor, Admin.Descriptor, V1.Placement.Descriptor, V1.Commands.Descriptor);
        _app = Build(logs);
    }

    /// <summary>Runs until the lifetime says stop.</summary>
    internal static async Task<ExitCode> RunAsync(ServiceContext<AggregatorOptions> context)
    {
        ILogger log = context.Log.CreateLogger("aggregator");
        RepeatedEventGate gate = new(log, TimeProvider.System);
        log.Starting(context.Version, StoreOpening.DirectoryOf(context.Options), context.Options.Store.RawRetention, context.Options.Listen.CaFile ?? "none");
        ServerTls? tls = null;
        if (context.Options.Listen.CaFile is not null)
        {
            tls = ServerTls.TryLoad(context.Options.Listen, (subject, reason) => LogRefused(log, gate, subject, reason), out string problem);
            if (tls is null)
            {
                log.CertificateUnusable(problem);
                return ExitCode.Usage;
            }
        }

        if (File.Exists(Path.Combine(context.Options.State.Directory, StateRooms.UnfinishedRestore)))
        {
            log.StateUnusable(context.Options.State.Directory, "a restore was interrupted; run `aggregator restore` again");
            tls?.Dispose();
            return ExitCode.StateUnusable;
        }

        IngestLog ingestLog = new(context.Log.CreateLogger<IngestLog>(), gate);
        if (OpenStore(context, out StoreWatch? watch) is not { } store)
        {
            tls?.Dispose();
            return ExitCode.StateUnusable;
        }

        if (OpenIngest(context, store, ingestLog) is not { } ingest)
        {
            store.Dispose();
            tls?.Dispose();
            return ExitCode.StateUnusable;
        }

        if (OpenPlacement(context, store, ingest) is not { } placement)
        {
            ingest.Dispose();
            store.Dispose();
            tls?.Dispose();
            return ExitCode.StateUnusable;
        }

        if (OpenCommands(context, ingest) is not { } commands)
        {
            placement.Dispose();
            ingest.Dispose();
            store.Dispose();
            tls?.Dispose();
            return ExitCode.StateUnusable;
        }

        await using AggregatorServer server = new(
            context.Options, context.Log, tls, context.Version, TimeProvider.System, gate, store, watch!, ingest, ingestLog, placement, commands);
        return await server.ServeAsync(context).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _rpc.Dispose();
        if (_sink is not null)
        {
            await _sink.DisposeAsync().ConfigureAwait(false);
        }

        _sinkHttp.Dispose();
        _remoteHttp.Dispose();
        _commits.Dispose();
        _placementService.Dispose();
        _placement.Dispose();
        _commands.Dispose();
        Settle();
        _ingest.Dispose();
        _store.Dispose();
        _tls?.Dispose();
    }

    // Nobody sends any more. What is in memory goes into files, so that the next start has nothing to read back; if the disk refuses, the log
    // still has it.
    private void Settle()
    {
        _ingest.Maintain(Moment.Of(_time));
        bool isDone = _store.Flush();
        _ingest.Maintain(Moment.Of(_time));
        _watch.Look();
        _log.Flushed(isDone);
    }

    private static DurableStore? OpenStore(ServiceContext<AggregatorOptions> context, out StoreWatch? watch)
    {
        ILogger log = context.Log.CreateLogger("store");
        long start = TimeProvider.System.GetTimestamp();
        string directory = StoreOpening.DirectoryOf(context.Options);
        watch = null;
        if (!StoreOpening.TryOpen(
            context.Options, IngestOptionsOf(context.Options, "").MaxAheadMs, TimeProvider.System, out DurableStore? store, out OpenError? error))
        {
            log.StateUnusable(directory, error.Message);
            return null;
        }

        watch = new StoreWatch(store, log);
        watch.Opened(directory, TimeProvider.System.GetElapsedTime(start));
        return store;
    }

    private static IngestOptions IngestOptionsOf(AggregatorOptions options, string version) => new()
    {
        Directory = options.State.Directory,
        Version = version,
        RetentionMs = (long)options.Store.LateWindow.TotalMilliseconds,
        WalMaxBytes = options.Wal.MaxBytes,
        WalReaderBytes = Math.Min(options.Sink.MaxLagBytes, options.Wal.MaxBytes),
        QuarantineMaxBytes = options.Wal.QuarantineMaxBytes,
        EventsMaxBytes = options.Wal.EventsMaxBytes,
        RecordsPerSecond = options.Quota.RecordsPerSecond,
        BytesPerSecond = options.Quota.BytesPerSecond,
    };

    private static IngestCore? OpenIngest(ServiceContext<AggregatorOptions> context, DurableStore store, IngestLog log)
    {
        TimeProvider time = TimeProvider.System;
        long start = time.GetTimestamp();
        IngestParts parts = new(store, new FleetRegistry(), new EventLedger(context.Options.Store.MaxEvents), new IngestCounters());
        bool isOpen = IngestCore.TryOpen(
            IngestOptionsOf(context.Options, context.Version), FileOps.ForThisMachine(), time, NewRandom(), parts, Moment.Of(time),
            out IngestCore? ingest, out OpenError? error);
        if (!isOpen)
        {
            context.Log.CreateLogger("aggregator").StateUnusable(context.Options.State.Directory, error!.Message);
            return null;
        }

        log.Replayed(parts.Counters.ReplayedRecords, parts.Fleet.Count, time.GetElapsedTime(start));
        RecoveryReport found = ingest!.Wal.Recovery;
        long lost = Math.Max((long)found.LostRecords, parts.Counters.ReplayLosses);
        if (lost > 0)
        {
            log.Damaged(lost, found.TornBytes, found.Damages.Count + (found.MissingAtHead > 0 ? 1 : 0));
        }

        return ingest;
    }

    private static PlacementDesk? OpenPlacement(ServiceContext<AggregatorOptions> context, ISeriesReader store, IngestCore ingest)
    {
        PlacementLog log = new(context.Log.CreateLogger<PlacementLog>());
        if (PlacementStart.TryOpen(PlacementJournal.OptionsIn(context.Options.State.Directory), FileOps.ForThisMachine(), TimeProvider.System, new FleetView(ingest.Fleet, store), log, out string problem) is { } desk)
        {
            return desk;
        }

        context.Log.CreateLogger("aggregator").StateUnusable(context.Options.State.Directory, problem);
        return null;
    }

    private static CommandDesk? OpenCommands(ServiceContext<AggregatorOptions> context, IngestCore ingest)
    {
        CommandDeskLog log = new(context.Log.CreateLogger<CommandDeskLog>());
        if (CommandStart.TryOpen(CommandJournal.OptionsIn(context.Options.State.Directory), FileOps.ForThisMachine(), TimeProvider.System, ingest.Fleet, log, out string problem) is { } desk)
        {
            return desk;
        }

        context.Log.CreateLogger("aggregator").StateUnusable(context.Options.State.Directory, problem);
        return null;
    }

    private async Task<ExitCode> ServeAsync(ServiceContext<AggregatorOptions> context)
    {
        string address = _tls is null ? "none" : $"https://{_options.Listen.Address}";
        try
        {
            await _app.StartAsync().ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            _log.AddressUnusable($"{address}, plaintext {_options.Listen.Plaintext}", "the address is in use");
            return ExitCode.CannotBind;
        }
        catch (System.Net.Sockets.SocketException e)
        {
            _log.AddressUnusable($"{address}, plaintext {_options.Listen.Plaintext}", e.Message);
            return ExitCode.CannotBind;
        }

        foreach (string service in new[] { AgentLink.Descriptor.FullName, V1.Query.Descriptor.FullName, Admin.Descriptor.FullName, V1.Placement.Descriptor.FullName, V1.Commands.Descriptor.FullName, DurableService })
        {
            _health.Set(service, ServingStatus.Serving);
        }

        _sink?.Start();
        _log.Ready(address, _options.Listen.Plaintext?.ToString() ?? "none");
        context.Notifier.Ready($"serving on {address}");
        _commands.Start(context.Lifetime.Stopping);
        await MaintainAsync(new WatchdogBeat(context.Notifier, _time), context.Lifetime.Stopping).ConfigureAwait(false);
        await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _commands.Completion.ConfigureAwait(false);
        _log.Stopped(_ingest.Counters.Frames, _ingest.Counters.Samples);
        return ExitCode.Ok;
    }

    // The watchdog hangs on this loop and not on the committing thread: it needs the pool, the store and the log's lock, so a deadlock or a
    // starved pool stops it, while a disk that does not answer, which no restart cures, lets queries go on.
    private async Task MaintainAsync(WatchdogBeat watchdog, CancellationToken stopping)
    {
        using PeriodicTimer timer = new(watchdog.LongestWait < MaintenanceInterval ? watchdog.LongestWait.Value : MaintenanceInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
            {
                long letGo = _ingest.Wal.ForcedReleases;
                _ingest.Maintain(Moment.Of(_time));
                _watch.Look();
                if (_ingest.Wal.ForcedReleases > letGo)
                {
                    _ingestLog.LetGo(_options.Wal.MaxBytes);
                }

                if (_sink is { Completion.IsFaulted: true } broken)
                {
                    await broken.Completion.ConfigureAwait(false); // a bug ends the process, as it does everywhere
                }

                if (_commands.Completion.IsFaulted)
                {
                    await _commands.Completion.ConfigureAwait(false);
                }

                _link.PushAll();
                _commands.Tick();
                _gate.EndQuiet(TimeSpan.FromMinutes(5));
                watchdog.Turn();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: ServeAsync goes on with an orderly stop.
            return;
        }
    }

    // On the committing thread: agents are told at once, in both directions.
    private void OnDiskHealth(bool isHealthy)
    {
        _health.Set(DurableService, isHealthy ? ServingStatus.Serving : ServingStatus.NotServing);
        JournalStatus status = _ingest.Wal.Status();
        if (isHealthy)
        {
            _ingestLog.DiskWorks(status.Counters.SyncErrors, status.Counters.WriteErrors);
        }
        else
        {
            _ingestLog.DiskFails(status.Error?.ToString() ?? "unknown");
        }

        _link.PushAll();
    }

    private WebApplication Build(ILoggerFactory logs)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "aggregator" });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = RpcKestrelDefaults.ShutdownTimeout);
        builder.WebHost.UseKestrelCore().UseSockets(PreferInline).UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            _rpc.Apply(kestrel);
            if (_tls is not null)
            {
                kestrel.Listen(_options.Listen.Address, endpoint =>
                {
                    endpoint.Protocols = HttpProtocols.Http2;
                    _rpc.UseTls(endpoint, _tls.Configure);
                });
            }

            if (_options.Listen.Plaintext is { } plaintext)
            {
                kestrel.Listen(plaintext, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            }
        });
        WebApplication app = builder.Build();
        app.UseRpcServer(_rpc);
        return app;
    }

    // A secret that cannot be read is no reason to answer from elsewhere: people would compare numbers of two stores.
    private ISeriesReader QueriedStore(RemoteReadSettings settings)
    {
        RemoteStore? remote = RemoteStore.TryMake(settings, _remoteHttp, _store, out string problem);
        return problem.Length == 0 ? (ISeriesReader?)remote ?? _store : throw new IOException($"remote_read: {problem}");
    }

    private static Random NewRandom() => new(RandomNumberGenerator.GetInt32(int.MaxValue));

    // Thousands of agents that each send one small frame a second cost thread hand-overs, not bytes: from socket to parser without leaving
    // the thread that the kernel woke. Handlers still run on the pool, so a slow query holds up nobody's socket.
    private static void PreferInline(Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportOptions sockets) =>
        sockets.UnsafePreferInlineScheduling = true;

    private void LogFailure(RpcServerCallRecord call)
    {
        if (call is { Status.StatusCode: StatusCode.Unknown or StatusCode.Internal, Exception: { } exception })
        {
            _log.CallFailed(call.Method, call.Identity?.ToString() ?? "nobody", call.Peer, exception);
        }
    }

    private static void LogRefused(ILogger log, RepeatedEventGate gate, string subject, string reason)
    {
        if (gate.IsFirst(nameof(AggregatorServerLog.CertificateRefused), subject))
        {
            log.CertificateRefused(subject, reason);
        }
    }

    /// <summary>Signals are <see cref="ProcessLifetime"/>'s; the host's own handler would stop before the log says why.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
