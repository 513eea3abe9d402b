using System.Net;
using System.Net.Security;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Alerts;
using NodeAgent.Aggregator.Commands;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Operations;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Aggregator.Prometheus;
using NodeAgent.Aggregator.Query;
using NodeAgent.Aggregator.Storage;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Programs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Health;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace NodeAgent.Aggregator;

/// <summary>The aggregator put together: services over <see cref="AggregatorState"/>, and the listeners. Composition only.</summary>
internal sealed class AggregatorServer : IAsyncDisposable
{
    /// <summary>The name under which the health service says whether what comes in can be made durable.</summary>
    internal const string DurableService = "durable";

    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromSeconds(1);

    private readonly AggregatorOptions _options;
    private readonly ILogger _log;
    private readonly RepeatedEventGate _gate;
    private readonly TimeProvider _time;
    private readonly AggregatorState _state;
    private readonly HealthService _health = new();
    private readonly CommitLoop _commits;
    private readonly PlacementService _placement;
    private readonly IncidentsService _incidents;
    private readonly AgentLinkService _link;
    private readonly RpcServer _rpc;
    private readonly string[] _services;
    private readonly ServerTls? _tls;
    private readonly LiveConnections _connections;
    private readonly IdentityUpkeep _identities;
    private readonly EnrolmentListener? _enrolment;
    private readonly AlertService _alerts;
    private readonly MetricsEndpoint? _metrics;
    private readonly WebApplication _app;

    private AggregatorServer(ServiceContext<AggregatorOptions> context, AggregatorState state, FleetTrustHolder? trust, RepeatedEventGate gate, TimeProvider time)
    {
        (_options, _state, _gate, _time) = (context.Options, state, gate, time);
        _log = context.Log.CreateLogger("aggregator");
        _connections = new LiveConnections(state.Registry, time, state.IdentityLog);
        state.Registry.Excluded = _connections.Sweep;
        _identities = new IdentityUpkeep(state.Registry, _connections, trust, time, state.IdentityLog);
        _tls = trust is null ? null : new ServerTls(trust, state.Registry, state.IdentityLog, time);
        _rpc = new RpcServer(new RpcServerOptions
        {
            Identify = new AccessPolicy(_options.Listen.Plaintext).IdentifyAsync,
            Authorise = new AccessGuard(state.Registry, time).Authorise,
            OnCallEnded = LogFailure,
            TimeProvider = time,
        });
        state.Ingest.Commands = state.Commands;
        _commits = new CommitLoop(state.Ingest, _options.Wal.CommitInterval, OnDiskHealth);
        _link = new AgentLinkService(
            state.Ingest, _commits, time, state.IngestLog, _rpc.Draining, new StreamLife(_options.Identity.StreamLife, time, AggregatorState.NewRandom()));

        QueryEngine engine = new(state.Engines.Queried, _options.Query.Limits, time) { WhenLong = QueryThreads.Lower };
        AggregatorFacts facts = new(context.Version, time.GetUtcNow().ToUnixTimeMilliseconds(), _rpc.Admission);
        QueryService query = new(state.Store, engine, state.Ingest, time, facts, _options.Usage)
        {
            SinkStatus = () => state.Engines.Sink?.Status(),
            DetectionStatus = () => state.Detection?.Status(),
            Jobs = state.Jobs.Ledger,
        };
        _placement = new PlacementService(state.Placement);
        _incidents = new IncidentsService(state.Detection, state.Store, engine, time);
        _services = Serve(
            (_link.Bind(), AgentLink.Descriptor),
            (V1.Query.BindService(query), V1.Query.Descriptor),
            (V1.Placement.BindService(_placement), V1.Placement.Descriptor),
            (V1.Commands.BindService(new CommandsService(state.Commands)), V1.Commands.Descriptor),
            (Incidents.BindService(_incidents), Incidents.Descriptor),
            (Identities.BindService(new IdentitiesService(state.Registry, trust, state.IdentityLog, time)), Identities.Descriptor),
            (Admin.BindService(new AdminService(_options.Backup, state.Ingest, _commits.CallAfterCommit, [.. state.Journals], FileOps.ForThisMachine(), time, context.Version)), Admin.Descriptor));
        _enrolment = trust is null || _options.Identity.EnrolmentAddress is not { } address ? null
            : new EnrolmentListener(address, trust, new EnrolmentService(state.Registry, trust, new JoinThrottle(time), state.IdentityLog), context.Log, state.IdentityLog, time);

        _alerts = new AlertService(_options.Alerts, time, AggregatorState.NewRandom(), context.Log.CreateLogger("alerts"));
        _alerts.Add(new OwnConditions(state.Ingest.Fleet, query.Status, () => StoreOpening.FreeRoom(_options.State.Directory), _options.Alerts));
        if (state.Detection is { } detection)
        {
            _alerts.Add(new IncidentAlerts(detection.Desk));
        }

        _metrics = _options.Metrics.Listen is not { } metrics ? null
            : new MetricsEndpoint(metrics, text => OwnMetrics.Write(text, query.Status(), _alerts), new Federation(state.Store, time, _options.Metrics.MaxSeries), time);
        _app = Build(context.Log);
    }

    /// <summary>Runs until the lifetime says stop.</summary>
    internal static async Task<ExitCode> RunAsync(ServiceContext<AggregatorOptions> context)
    {
        TimeProvider time = TimeProvider.System;
        ILogger log = context.Log.CreateLogger("aggregator");
        RepeatedEventGate gate = new(log, time);
        log.Starting(context.Version, StoreOpening.DirectoryOf(context.Options), context.Options.Store.RawRetention, context.Options.Listen.CaFile ?? "none");
        if (!FleetTrustHolder.TryLoad(context.Options.Listen, context.Options.Identity, time, out FleetTrustHolder? trust, out string problem))
        {
            log.CertificateUnusable(problem);
            return ExitCode.Usage;
        }

        (ExitCode code, AggregatorState? state) = await AggregatorState.OpenAsync(context, gate, time).ConfigureAwait(false);
        if (state is null)
        {
            return code;
        }

        await using AggregatorServer server = new(context, state, trust, gate, time);
        return await server.ServeAsync(context).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _rpc.Dispose();
        if (_enrolment is not null)
        {
            await _enrolment.DisposeAsync().ConfigureAwait(false);
        }

        _metrics?.Dispose();
        await _alerts.DisposeAsync().ConfigureAwait(false);
        _commits.Dispose();
        _placement.Dispose();
        _incidents.Dispose();
        await _state.DisposeAsync().ConfigureAwait(false);
    }

    // One list: what is served can be reflected upon and has a health.
    private string[] Serve(params (ServerServiceDefinition Service, ServiceDescriptor Descriptor)[] services)
    {
        foreach ((ServerServiceDefinition service, _) in services)
        {
            _rpc.AddService(service);
        }

        _rpc.AddHealth(_health).AddReflection(services.Select(served => served.Descriptor));
        return [.. services.Select(served => served.Descriptor.FullName)];
    }

    private async Task<ExitCode> ServeAsync(ServiceContext<AggregatorOptions> context)
    {
        string address = _tls is null ? "none" : $"https://{_options.Listen.Address}";
        try
        {
            await _app.StartAsync().ConfigureAwait(false);
            await (_enrolment?.StartAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return CannotBind(address, "the address is in use");
        }
        catch (System.Net.Sockets.SocketException e)
        {
            return CannotBind(address, e.Message);
        }

        foreach (string service in _services.Append(DurableService))
        {
            _health.Set(service, ServingStatus.Serving);
        }

        _state.Engines.Sink?.Start();
        _state.Detection?.Start();
        _alerts.Start();
        _enrolment?.Announce();
        _metrics?.SetReady(true);
        _log.Ready(address, _options.Listen.Plaintext?.ToString() ?? "none");
        context.Notifier.Ready($"serving on {address}");
        _state.Commands.Start(context.Lifetime.Stopping);
        await MaintainAsync(new WatchdogBeat(context.Notifier, _time), context.Lifetime.Stopping).ConfigureAwait(false);
        _metrics?.SetReady(false);
        await (_enrolment?.StopAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _state.Commands.Completion.ConfigureAwait(false);
        _log.Stopped(_state.Ingest.Counters.Frames, _state.Ingest.Counters.Samples);
        return ExitCode.Ok;
    }

    private ExitCode CannotBind(string address, string reason)
    {
        _log.AddressUnusable(
            $"{address}, plaintext {_options.Listen.Plaintext}, enrolment {_options.Identity.EnrolmentAddress}, metrics {_options.Metrics.Listen}", reason);
        return ExitCode.CannotBind;
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
                await TurnAsync().ConfigureAwait(false);
                watchdog.Turn();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: ServeAsync goes on with an orderly stop.
            return;
        }
    }

    private async Task TurnAsync()
    {
        IngestCore ingest = _state.Ingest;
        long letGo = ingest.Wal.ForcedReleases;
        ingest.MaintainWhatIsDue(Moment.Of(_time));
        _state.Watch.Look();
        if (ingest.Wal.ForcedReleases > letGo)
        {
            _state.IngestLog.LetGo(_options.Wal.MaxBytes);
        }

        // A bug in one of them ends the process, as it does everywhere.
        foreach (Task background in new[] { _state.Engines.Sink?.Completion, _alerts.Completion, _state.Commands.Completion }.OfType<Task>().Where(task => task.IsFaulted))
        {
            await background.ConfigureAwait(false);
        }

        _link.PushQuiet();
        _identities.Turn();
        _state.Commands.Tick();
        _state.Jobs.Turn();
        _gate.EndQuiet(TimeSpan.FromMinutes(5));
    }

    // On the committing thread: agents are told at once, in both directions.
    private void OnDiskHealth(bool isHealthy)
    {
        _health.Set(DurableService, isHealthy ? ServingStatus.Serving : ServingStatus.NotServing);
        JournalStatus status = _state.Ingest.Wal.Status();
        if (isHealthy)
        {
            _state.IngestLog.DiskWorks(status.Counters.SyncErrors, status.Counters.WriteErrors);
        }
        else
        {
            _state.IngestLog.DiskFails(status.Error?.ToString() ?? "unknown");
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
                    UseTls(endpoint, SslApplicationProtocol.Http2);
                });
            }

            if (_options.Listen.Plaintext is { } plaintext)
            {
                kestrel.Listen(plaintext, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            }

            if (_options.Metrics.Listen is { } metrics)
            {
                kestrel.Listen(metrics, endpoint => ListenForScrapes(endpoint, metrics));
            }
        });
        WebApplication app = builder.Build();
        if (_metrics is not null)
        {
            app.Use((http, next) => _metrics.Owns(http) ? _metrics.AnswerAsync(http) : next(http));
        }

        app.UseRpcServer(_rpc);
        return app;
    }

    private void UseTls(ListenOptions endpoint, SslApplicationProtocol protocol)
    {
        _rpc.UseTlsPerConnection(endpoint, connection => _tls!.OptionsFor(connection.RemoteEndPoint?.ToString() ?? "unknown", protocol));
        endpoint.Use(next => connection => _connections.RunAsync(connection, next));
    }

    // Scrapers speak HTTP/1.1. Identities are asked for only where others than this machine's own could come.
    private void ListenForScrapes(ListenOptions endpoint, IPEndPoint address)
    {
        endpoint.Protocols = HttpProtocols.Http1;
        if (!IPAddress.IsLoopback(address.Address) && _tls is not null)
        {
            UseTls(endpoint, SslApplicationProtocol.Http11);
        }
    }

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
}
