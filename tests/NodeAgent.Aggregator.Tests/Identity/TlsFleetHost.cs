using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.Hosting.Logs;
using NodeAgent.Journal;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Security;
using NodeAgent.Rpc.Server;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Testing.Fleet;
using NodeAgent.V1;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace NodeAgent.Aggregator.Tests.Identity;

/// <summary>
/// The aggregator's two doors on loopback, with real TLS and everything that decides who comes in; behind them Identities and Enrolment as
/// they are, and of every other method one that says yes to all.
/// </summary>
internal sealed class TlsFleetHost : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodeagent-tls-").FullName;
    private readonly List<RpcChannel> _channels = [];
    private readonly WebApplication _app;
    private readonly RpcServer _rpc;
    private readonly EnrolmentListener _enrolment;
    private readonly IPEndPoint _enrolmentAddress;

    private TlsFleetHost(IReadOnlyList<ServiceDescriptor> others)
    {
        Pki = new FleetPki(Time.GetUtcNow());
        WriteFiles(Pki.Roots, Pki.Issuer, Pki.Server);
        IdentityLog log = new(new Logger<IdentityLog>(Logs), new RepeatedEventGate(Logs, Time));
        Assert.True(IdentityRegistry.TryOpen(IdentityJournal.OptionsIn("/state"), new SimulatedDisk(1), Time, log, out IdentityRegistry? registry, out OpenError? error), error?.Message);
        Registry = registry;
        (FleetTrust? loaded, string problem) = Load();
        Assert.True(loaded is not null, problem);
        Trust = new FleetTrustHolder(loaded, Load);
        ServerTls tls = new(Trust, registry, log, Time);
        Connections = new LiveConnections(registry, Time, log);
        registry.Excluded = Connections.Sweep;
        _rpc = new RpcServer(new RpcServerOptions { Identify = new AccessPolicy(null).IdentifyAsync, Authorise = new AccessGuard(registry, Time).Authorise });
        _rpc.AddService(Identities.BindService(new IdentitiesService(registry, Trust, log, Time)));
        foreach (ServiceDescriptor service in others)
        {
            _rpc.AddService(Yes(service));
        }

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            _rpc.Apply(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                _rpc.UseTlsPerConnection(endpoint, connection => tls.OptionsFor(connection.RemoteEndPoint!.ToString()!, SslApplicationProtocol.Http2));
                endpoint.Use(next => connection => Connections.RunAsync(connection, next));
            });
        });
        _app = builder.Build();
        _app.UseRpcServer(_rpc);
        _enrolmentAddress = new IPEndPoint(IPAddress.Loopback, FreePort());
        _enrolment = new EnrolmentListener(_enrolmentAddress, Trust, new EnrolmentService(registry, Trust, new JoinThrottle(Time), log), Logs, log, TimeProvider.System);
    }

    internal SimulatedTime Time { get; } = new(TimeProvider.System.GetUtcNow()); // TLS itself looks at the system's clock

    internal CapturingLogger Logs { get; } = new();

    internal FleetPki Pki { get; }

    internal IdentityRegistry Registry { get; }

    internal FleetTrustHolder Trust { get; }

    internal LiveConnections Connections { get; }

    internal Uri Address { get; private set; } = new("https://localhost");

    internal Uri EnrolmentAddress => new($"https://localhost:{_enrolmentAddress.Port}");

    internal static async Task<TlsFleetHost> StartAsync(params IReadOnlyList<ServiceDescriptor> others)
    {
        TlsFleetHost host = new(others);
        await host._app.StartAsync();
        await host._enrolment.StartAsync();
        string address = host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        host.Address = new Uri($"https://localhost:{new Uri(address).Port}");
        return host;
    }

    /// <summary>A connection of its own, with this certificate; null: none.</summary>
    internal CallInvoker As(X509Certificate2? certificate, X509Certificate2Collection? between = null) => Channel(Address, certificate, between ?? [Pki.Issuer]);

    /// <summary>At the door for strangers.</summary>
    internal Enrolment.EnrolmentClient Stranger() => new(StrangersInvoker());

    internal CallInvoker StrangersInvoker() => Channel(EnrolmentAddress, null, null);

    /// <summary>A stream that says something every now and then and never ends by itself: the link's path, for roles that may call it.</summary>
    internal static Method<byte[], byte[]> EndlessMethod { get; } =
        new(MethodType.ServerStreaming, AgentLink.Descriptor.FullName, "Endless", Marshallers.Create<byte[]>(b => b, b => b), Marshallers.Create<byte[]>(b => b, b => b));

    internal Identities.IdentitiesClient Admin() => new(As(Pki.Member(FleetRole.Admin, "ann")));

    /// <summary>Enrols by both doors, as a host does; its certificate with its key.</summary>
    internal async Task<X509Certificate2> EnrolAsync(string name)
    {
        CreateTokenResponse token = await Admin().CreateTokenAsync(new CreateTokenRequest { Role = "agent", Name = name });
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        JoinResponse joined = await Stranger().JoinAsync(new JoinRequest { Token = token.Token, Request = RequestFor(key) });
        return WithKey(joined.Issued, key);
    }

    /// <summary>Renews as its holder; the next certificate with its key.</summary>
    internal async Task<X509Certificate2> RenewAsync(X509Certificate2 present)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        RenewResponse renewed = await new Identities.IdentitiesClient(As(present)).RenewAsync(new RenewRequest { Request = RequestFor(key) });
        return WithKey(renewed.Issued, key);
    }

    internal static ByteString RequestFor(ECDsa key) => ByteString.CopyFrom(new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequest());

    internal static X509Certificate2 WithKey(IssuedCertificate issued, ECDsa key)
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(issued.Chain[0].Span);
        using X509Certificate2 made = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>What the aggregator's files hold from now on; read with ReloadCa.</summary>
    internal void WriteFiles(X509Certificate2Collection roots, X509Certificate2 issuer, X509Certificate2 server)
    {
        File.WriteAllText(In("ca.crt"), string.Concat(roots.Select(root => root.ExportCertificatePem() + "\n")));
        FleetPki.Write(In("issuer.crt"), In("issuer.key"), issuer);
        FleetPki.Write(In("server.crt"), In("server.key"), server);
    }

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _enrolment.DisposeAsync();
        await _app.DisposeAsync();
        _rpc.Dispose();
        Registry.Dispose();
        Pki.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private (FleetTrust? Trust, string Error) Load()
    {
        ListenSettings listen = new() { CaFile = In("ca.crt"), CertificateFile = In("server.crt"), KeyFile = In("server.key") };
        IdentitySettings identity = new() { IssuerCertificateFile = In("issuer.crt"), IssuerKeyFile = In("issuer.key") };
        return FleetTrust.TryLoad(listen, identity, Time, out FleetTrust? trust, out string error) ? (trust, "") : (null, error);
    }

    private CallInvoker Channel(Uri address, X509Certificate2? certificate, X509Certificate2Collection? between)
    {
        RpcChannel channel = RpcChannel.ForAddress(address, new RpcChannelOptions { Tls = () => Tls(certificate, between) });
        _channels.Add(channel);
        return channel.CreateCallInvoker();
    }

    private SslClientAuthenticationOptions Tls(X509Certificate2? certificate, X509Certificate2Collection? between)
    {
        SslClientAuthenticationOptions options = MutualTls.ClientOptions("localhost", Pki.Roots, certificate ?? Pki.Server, between);
        options.ClientCertificateContext = certificate is null ? null : options.ClientCertificateContext;
        options.EnabledSslProtocols = SslProtocols.Tls13;
        options.AllowTlsResume = false; // each connection is judged for itself
        return options;
    }

    private static ServerServiceDefinition Yes(ServiceDescriptor service)
    {
        ServerServiceDefinition.Builder builder = ServerServiceDefinition.CreateBuilder();
        foreach (MethodDescriptor method in service.Methods)
        {
            builder.AddMethod(Bytes(method), new UnaryServerMethod<byte[], byte[]>(static (_, _) => Task.FromResult(Array.Empty<byte>())));
        }

        if (service == AgentLink.Descriptor)
        {
            builder.AddMethod(EndlessMethod, new ServerStreamingServerMethod<byte[], byte[]>(static async (_, responses, context) =>
            {
                using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                do
                {
                    await responses.WriteAsync([1]);
                }
                while (await timer.WaitForNextTickAsync(context.CancellationToken));
            }));
        }

        return builder.Build();
    }

    /// <summary>A method as one question and one answer of bytes: what a caller may do does not depend on more.</summary>
    internal static Method<byte[], byte[]> Bytes(MethodDescriptor method) =>
        new(MethodType.Unary, method.Service.FullName, method.Name, Marshallers.Create<byte[]>(b => b, b => b), Marshallers.Create<byte[]>(b => b, b => b));

    private string In(string file) => Path.Combine(_folder, file);

    private static int FreePort()
    {
        using System.Net.Sockets.TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
