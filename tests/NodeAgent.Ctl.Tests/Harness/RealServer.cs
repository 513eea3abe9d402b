using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Health;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A real gRPC server on a loopback port, without TLS or with a fleet's certificates.</summary>
internal sealed class RealServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RpcServer _rpc;

    private RealServer(WebApplication app, RpcServer rpc, ScriptedQuery query)
    {
        _app = app;
        _rpc = rpc;
        Query = query;
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Port = new Uri(address).Port;
    }

    public ScriptedQuery Query { get; }

    public int Port { get; }

    /// <param name="fleet">Folder made by <c>nodectl fleet init</c>; null: plaintext.</param>
    public static async Task<RealServer> StartAsync(string? fleet = null)
    {
        ScriptedQuery query = new();
        RpcServer rpc = new(new RpcServerOptions());
        rpc.AddService(V1.Query.BindService(query));
        rpc.AddHealth(new HealthService());

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (fleet is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            RpcKestrelDefaults.Apply(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                if (fleet is not null) endpoint.UseHttps(https => Configure(https, fleet));
            });
        });
        WebApplication app = builder.Build();
        app.UseRpcServer(rpc);
        await app.StartAsync();
        return new RealServer(app, rpc, query);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rpc.Dispose();
    }

    private static void Configure(HttpsConnectionAdapterOptions https, string fleet)
    {
        https.ServerCertificate = X509Certificate2.CreateFromPemFile(Path.Combine(fleet, "aggregator.crt"), Path.Combine(fleet, "aggregator.key"));
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(Path.Combine(fleet, "ca.crt"));
        https.ClientCertificateValidation = (certificate, _, _) =>
        {
            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(certificate);
        };
    }
}
