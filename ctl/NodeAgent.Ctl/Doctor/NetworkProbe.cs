using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Ctl.Connection;

namespace NodeAgent.Ctl.Doctor;

/// <summary>The real network.</summary>
internal sealed class NetworkProbe : INetworkProbe
{
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellation) =>
        await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false);

    public async Task<IPAddress> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellation)
    {
        SocketException? last = null;
        foreach (IPAddress address in addresses)
        {
            try
            {
                using Socket socket = await OpenAsync(address, port, cancellation).ConfigureAwait(false);
                return address;
            }
            catch (SocketException refused)
            {
                last = refused;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    public async Task<TlsReport> HandshakeAsync(
        IPAddress address, ServerAddress server, X509Certificate2Collection? authorities, X509Certificate2? identity, CancellationToken cancellation)
    {
        string? problem = null;
        string subject = "";
        DateTimeOffset notAfter = default;
        SslClientAuthenticationOptions options = TlsOptions.Client(server.Host, authorities, identity);
        RemoteCertificateValidationCallback validate = options.RemoteCertificateValidationCallback ?? ((_, _, _, errors) => errors == SslPolicyErrors.None);
#pragma warning disable CA5359 // Goes on with a bad certificate, only to report what is bad about it; nothing is sent over this connection.
        options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            subject = certificate?.Subject ?? "";
            if (certificate is X509Certificate2 full) notAfter = full.NotAfter;
            if (!validate(sender, certificate, chain, errors)) problem = Describe(errors, chain, server.Host);
            return true;
        };
#pragma warning restore CA5359

        using Socket socket = await OpenAsync(address, server.Port, cancellation).ConfigureAwait(false);
        await using NetworkStream network = new(socket);
        await using SslStream tls = new(network);
        try
        {
            await tls.AuthenticateAsClientAsync(options, cancellation).ConfigureAwait(false);
            return new TlsReport(problem, tls.SslProtocol.ToString(), tls.NegotiatedApplicationProtocol.ToString(), subject, notAfter);
        }
        catch (Exception broken) when (broken is AuthenticationException or IOException)
        {
            return new TlsReport(broken.InnerException?.Message ?? broken.Message, "", "", subject, notAfter);
        }
    }

    private static string Describe(SslPolicyErrors errors, X509Chain? chain, string host)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return "the server sent no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"the certificate is not for '{host}'";
        string reasons = string.Join("; ", (chain?.ChainStatus ?? []).Select(status => status.StatusInformation.Trim()).Distinct());
        return reasons.Length == 0 ? "the certificate is not issued by the given CA" : reasons;
    }

    private static async Task<Socket> OpenAsync(IPAddress address, int port, CancellationToken cancellation)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, port, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
