using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeAgent.Rpc.Server;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// The address for hosts without a certificate: a server of its own, because on a connection of HTTP/2 a certificate cannot be asked for
/// later, and because strangers talk to it: one service, small messages, few handshakes.
/// </summary>
internal sealed class EnrolmentListener : IAsyncDisposable
{
    /// <summary>A token and a request have about 500 bytes.</summary>
    internal const int MaxMessageBytes = 16 * 1024;

    private readonly IPEndPoint _address;
    private readonly FleetTrustHolder _trust;
    private readonly IdentityLog _log;
    private readonly RpcServer _rpc;
    private readonly WebApplication _app;

    internal EnrolmentListener(IPEndPoint address, FleetTrustHolder trust, EnrolmentService service, ILoggerFactory logs, IdentityLog log, TimeProvider time)
    {
        (_address, _trust, _log) = (address, trust, log);
        _rpc = new RpcServer(new RpcServerOptions
        {
            MaxReceiveMessageSize = MaxMessageBytes,
            Admission = new RpcAdmissionOptions { MaxComputingHandshakes = 1, MaxPendingHandshakes = 64, MaxConnectionsPerSecondAndAddress = 5 },
            Authorise = static (method, _) => AccessPolicy.AuthoriseStranger(method),
            TimeProvider = time,
        });
        _rpc.AddService(Enrolment.BindService(service));
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "enrolment" });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = RpcKestrelDefaults.ShutdownTimeout);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            _rpc.Apply(kestrel);
            kestrel.Limits.Http2.MaxStreamsPerConnection = 4;
            kestrel.Listen(address, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                _rpc.UseTlsPerConnection(endpoint, _ => new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = trust.Current.ServerContext,
                    EnabledSslProtocols = SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                });
            });
        });
        _app = builder.Build();
        _app.UseRpcServer(_rpc);
    }

    internal Task StartAsync() => _app.StartAsync();

    /// <summary>Says in the log where hosts can enrol, and until when.</summary>
    internal void Announce()
    {
        if (_trust.Current.Issuer is { } issuer)
        {
            _log.Serving(_address.ToString(), issuer.Authority.Subject, new DateTimeOffset(issuer.Authority.NotAfter));
        }
    }

    internal Task StopAsync() => _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _rpc.Dispose();
    }
}
