using System.Net;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Ctl.Connection;

namespace NodeAgent.Ctl.Doctor;

/// <summary>The steps of a connection one by one, which a channel hides.</summary>
internal interface INetworkProbe
{
    /// <summary>Addresses of a name or an IP literal.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">None.</exception>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellation);

    /// <summary>Connects to the first of the addresses that accepts, and closes again.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">None accepts.</exception>
    Task<IPAddress> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellation);

    /// <summary>A TLS handshake as the channel does it, with what was negotiated.</summary>
    Task<TlsReport> HandshakeAsync(IPAddress address, ServerAddress server, X509Certificate2Collection? authorities, X509Certificate2? identity, CancellationToken cancellation);
}

/// <summary>What a handshake brought.</summary>
/// <param name="Problem">Why it failed, or why the certificate is not to be trusted. Null: it is good.</param>
/// <param name="Protocol">"Tls13".</param>
/// <param name="Alpn">"h2". Empty: none was agreed on.</param>
/// <param name="Subject">The server certificate's subject. Empty: it sent none.</param>
/// <param name="NotAfter">When it ends.</param>
internal sealed record TlsReport(string? Problem, string Protocol, string Alpn, string Subject, DateTimeOffset NotAfter);
