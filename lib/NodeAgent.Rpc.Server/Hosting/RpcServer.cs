using System.Net.Security;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NodeAgent.Rpc.Server.Calls;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Rpc.Server.Health;
using NodeAgent.Rpc.Server.Reflection;

namespace NodeAgent.Rpc.Server;

/// <summary>
/// Serves gRPC on Kestrel. Make one, add services, hand it to <c>UseRpcServer</c>. Services are fixed once it serves.
/// </summary>
public sealed class RpcServer : IDisposable
{
    private readonly MethodTable _methods = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _drained = new();
    private readonly CallPipeline _pipeline;
    private readonly ServerConnections _connections;
    private readonly Lock _lifeLock = new();
    private ITimer? _drainTimer;
    private bool _serving;

    /// <summary>A server without services.</summary>
    public RpcServer(RpcServerOptions? options = null)
    {
        Options = options ?? new RpcServerOptions();
        Draining = _draining.Token;
        _pipeline = new CallPipeline(_methods, Options, Draining, _drained.Token);
        _connections = new ServerConnections(Options);
    }

    /// <summary>
    /// Fires when the server starts to stop. From then on new calls are answered UNAVAILABLE; long streams should say their last word
    /// and end.
    /// Calls that run on are interrupted after <see cref="RpcServerOptions.DrainGrace"/>.
    /// </summary>
    public CancellationToken Draining { get; }

    /// <summary>Calls that run now, also refused ones that are being answered.</summary>
    public int ActiveCalls => _pipeline.ActiveCalls;

    /// <summary>What became of new connections.</summary>
    public RpcAdmission Admission => _connections.Admission;

    /// <summary>The full names of the services, such as <c>grpc.health.v1.Health</c>; complete once the server serves.</summary>
    public IReadOnlyCollection<string> Services => _methods.Services;

    internal RpcServerOptions Options { get; }

    /// <summary>Adds a service, as generated code binds it: <c>AddService(Query.BindService(new QueryService()))</c>.</summary>
    /// <exception cref="InvalidOperationException">The server serves already.</exception>
    public RpcServer AddService(ServerServiceDefinition service)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_lifeLock)
        {
            if (_serving)
            {
                throw new InvalidOperationException("Services are added before the server serves.");
            }

            service.BindService(_methods);
        }

        return this;
    }

    /// <summary>Adds grpc.health.v1. When the server drains, every service is NOT_SERVING and watchers are told.</summary>
    public RpcServer AddHealth(HealthService health)
    {
        ArgumentNullException.ThrowIfNull(health);
        Draining.UnsafeRegister(static state => ((HealthService)state!).Stop(), health);
        return AddService(Grpc.Health.V1.Health.BindService(health));
    }

    /// <summary>
    /// Adds grpc.reflection v1 and v1alpha. Lists every served service; describes those whose descriptors are given, with everything they
    /// import. Health and reflection describe themselves.
    /// </summary>
    public RpcServer AddReflection(params IEnumerable<ServiceDescriptor> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        ReflectionService reflection = new(
            () => Services,
            new DescriptorIndex(
            [
                .. services,
                Grpc.Health.V1.Health.Descriptor,
                Grpc.Reflection.V1.ServerReflection.Descriptor,
                Grpc.Reflection.V1Alpha.ServerReflection.Descriptor,
            ]));
        return AddService(reflection.Bind(ReflectionService.V1)).AddService(reflection.Bind(ReflectionService.V1Alpha));
    }

    /// <summary>
    /// Prepares a Kestrel for this server, before its endpoints are made: <see cref="RpcKestrelDefaults"/>, and for every endpoint what
    /// <see cref="RpcServerOptions.Admission"/> says, a prompt stop, and fewer heartbeats. Takes the place of the endpoint defaults.
    /// </summary>
    public void Apply(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        RpcKestrelDefaults.Apply(kestrel);
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(next => context => _connections.RunAsync(context, next)));
    }

    /// <summary>
    /// TLS on an endpoint whose Kestrel was given to <see cref="Apply"/>. The time-out is that of <see cref="RpcServerOptions.Admission"/>.
    /// </summary>
    public void UseTls(ListenOptions endpoint, Action<HttpsConnectionAdapterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        UseTls(endpoint, () => endpoint.UseHttps(tls =>
        {
            configure(tls);
            tls.HandshakeTimeout = Options.Admission.HandshakeTimeout;
        }));
    }

    /// <summary>
    /// As <see cref="UseTls(ListenOptions, Action{HttpsConnectionAdapterOptions})"/>, with the certificate and the rules of the moment: asked for each connection. ALPN is the caller's to set.
    /// </summary>
    public void UseTlsPerConnection(ListenOptions endpoint, Func<ConnectionContext, SslServerAuthenticationOptions> current)
    {
        ArgumentNullException.ThrowIfNull(current);
        UseTls(endpoint, () => endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = handshake => ValueTask.FromResult(current(handshake.Connection)),
            HandshakeTimeout = Options.Admission.HandshakeTimeout,
        }));
    }

    private void UseTls(ListenOptions endpoint, Action useHttps)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Use(next => context => _connections.RunTlsAsync(context, next));
        useHttps();
        endpoint.Use(next => context =>
        {
            _connections.EndHandshake(context);
            return next(context);
        });
    }

    /// <summary>
    /// Starts to stop: new calls are answered UNAVAILABLE, <see cref="Draining"/> fires, and what still runs after the grace is
    /// interrupted with
    /// UNAVAILABLE. <c>UseRpcServer</c> calls it when the host stops. Does not wait; a second call does nothing.
    /// </summary>
    public void Drain()
    {
        lock (_lifeLock)
        {
            if (_drainTimer is not null)
            {
                return;
            }

            _drainTimer = Options.TimeProvider.CreateTimer(
                static server => ((RpcServer)server!).EndGrace(), this, Options.DrainGrace, Timeout.InfiniteTimeSpan);
        }

        _connections.Drain();

        _draining.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _drainTimer?.Dispose();
        _connections.Dispose();
        _draining.Dispose();
        _drained.Dispose();
    }

    internal void StartServing()
    {
        lock (_lifeLock)
        {
            _methods.Freeze();
            _serving = true;
        }
    }

    /// <summary>Whether a request is for this server: by content type, or by the path of one of its methods.</summary>
    internal bool Owns(HttpContext http) => _pipeline.Owns(http);

    internal Task HandleAsync(HttpContext http) => _pipeline.HandleAsync(http);

    private void EndGrace()
    {
        _drained.Cancel();
        _connections.EndSoon();
    }
}
