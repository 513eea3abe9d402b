using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeAgent.Interop.Contract;
using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Health;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace NodeAgent.Interop.Tests.Hosting;

/// <summary>Our server with the test service, on a free port of the loopback, as a program would set it up.</summary>
internal sealed class InteropHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RpcServer _server;
    private readonly ConcurrentQueue<Exception> _faults = new();

    private InteropHost(bool compress, TestCertificates? certificates)
    {
        _server = new RpcServer(new RpcServerOptions { CompressResponses = compress, OnCallEnded = Remember });
        _server.AddService(TestService.BindService(Service))
            .AddHealth(HealthStates)
            .AddReflection(TestService.Descriptor);
        HealthStates.Set(TestService.Descriptor.FullName, ServingStatus.Serving);

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = RpcKestrelDefaults.ShutdownTimeout);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            _server.Apply(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => Configure(_server, endpoint, certificates));
        });
        _app = builder.Build();
        _app.UseRpcServer(_server);
    }

    internal InteropService Service { get; } = new();

    internal HealthService HealthStates { get; } = new();

    internal int Port { get; private set; }

    /// <summary>What handlers threw beside statuses and cancellation. Empty unless the runtime or the service has a fault.</summary>
    internal IReadOnlyCollection<Exception> Faults => _faults;

    internal static async Task<InteropHost> StartAsync(bool compress = false, TestCertificates? certificates = null)
    {
        InteropHost host = new(compress, certificates);
        await host._app.StartAsync();
        IServerAddressesFeature addresses = host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        host.Port = new Uri(addresses.Addresses.Single()).Port;
        return host;
    }

    internal void SetServing(string service, bool serving) =>
        HealthStates.Set(service, serving ? ServingStatus.Serving : ServingStatus.NotServing);

    internal Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _server.Dispose();
    }

    private static void Configure(RpcServer server, ListenOptions endpoint, TestCertificates? certificates)
    {
        endpoint.Protocols = HttpProtocols.Http2;
        if (certificates is not null)
        {
            server.UseTls(endpoint, tls =>
            {
                tls.ServerCertificate = certificates.Server;
                tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                tls.ClientCertificateValidation = (certificate, _, _) => certificates.Signed(certificate);
            });
        }
    }

    private void Remember(RpcServerCallRecord call)
    {
        // A connection that a client closed under its calls is the client's right; everything else is ours to explain.
        if (call.Exception is { } fault and not (OperationCanceledException or IOException))
        {
            _faults.Enqueue(fault);
        }
    }
}
