using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A network in which each step goes as a test says.</summary>
internal sealed class ScriptedProbe : INetworkProbe
{
    public SocketError? ResolveError { get; set; }
    public SocketError? ConnectError { get; set; }
    public TlsReport Tls { get; set; } = new(null, "Tls13", "h2", "CN=aggregator, O=lab", DateTimeOffset.FromUnixTimeMilliseconds(HandTime.StartUnixMs).AddDays(200));

    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellation) =>
        ResolveError is { } error ? throw new SocketException((int)error) : Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse("10.0.0.5")]);

    public Task<IPAddress> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellation) =>
        ConnectError is { } error ? throw new SocketException((int)error) : Task.FromResult(addresses[0]);

    public Task<TlsReport> HandshakeAsync(
        IPAddress address, ServerAddress server, X509Certificate2Collection? authorities, X509Certificate2? identity, CancellationToken cancellation) => Task.FromResult(Tls);
}
