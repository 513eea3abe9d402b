using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Blocking;
using NodeAgent.V1;

namespace NodeAgent.Agent.Identity;

/// <summary>
/// From a join token to an identity on the disk. The token is sent only to a server that one of the roots with the pinned key stands
/// behind, on the very connection on which that was found out.
/// </summary>
/// <param name="files">Where the identity goes.</param>
/// <param name="time">The clock.</param>
internal sealed class Enrolling(IdentityFiles files, TimeProvider time)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(15);

    private static readonly string TrustPath = $"/{Enrolment.Descriptor.FullName}/{nameof(Enrolment.EnrolmentClient.Trust)}";
    private static readonly string JoinPath = $"/{Enrolment.Descriptor.FullName}/{nameof(Enrolment.EnrolmentClient.Join)}";

    /// <summary>OK: the files are there. Else why not; PERMISSION_DENIED and INVALID_ARGUMENT will not get better by themselves.</summary>
    internal Status TryJoin(Uri server, string? serverName, EnrolmentToken token, CancellationToken stop)
    {
        if (KeyOnDisk(out string keyPem) is { Length: > 0 } unwritten)
        {
            return new Status(StatusCode.Internal, unwritten);
        }

        X509Certificate2Collection shown = [];
        BlockingConnectionOptions options = new()
        {
            Tls = () => TlsOf(serverName ?? server.IdnHost, shown),
            UserAgent = $"nodeagent/{AgentVersion.Text}",
            TimeProvider = time,
        };
        using WakeHandle wake = new();
        using CancellationTokenRegistration woken = stop.UnsafeRegister(static handle => ((WakeHandle)handle!).Wake(), wake);
        using BlockingConnection? connection = BlockingConnection.TryConnect(server, options, wake, stop, out Status failure);
        return connection is null ? failure : Join(connection, shown, token, keyPem, stop);
    }

    private Status Join(BlockingConnection connection, X509Certificate2Collection shown, EnrolmentToken token, string keyPem, CancellationToken stop)
    {
        if (UnaryCall.TryRun(connection, TrustPath, new TrustRequest(), TrustResponse.Parser, time, CallLimit, stop, out Status status) is not { } trust)
        {
            return status;
        }

        X509Certificate2Collection roots = Pinned(trust, token);
        if (roots.Count == 0 || shown.Count == 0)
        {
            return new Status(StatusCode.PermissionDenied, $"{connection.Peer} is not of the fleet that made the token: it has no root with the token's pin. Nothing was sent to it");
        }

        X509Certificate2Collection between = [.. shown.Skip(1)];
        if (!FleetAuthority.Trusts(shown[0], roots, between, FleetAuthority.ServerUse, time.GetUtcNow(), out string untrusted))
        {
            return new Status(StatusCode.PermissionDenied, $"{connection.Peer} cannot prove that it is of the fleet that made the token: {Because(untrusted)}. Nothing was sent to it");
        }

        JoinRequest request = new() { Token = token.Reveal(), Request = ByteString.CopyFrom(KeyRequest.Make(keyPem)) };
        return UnaryCall.TryRun(connection, JoinPath, request, JoinResponse.Parser, time, CallLimit, stop, out status) is { } answer
            ? Install(answer.Issued ?? new IssuedCertificate(), keyPem, roots) : status;

        string Because(string problem) => $"{problem}; it says it is {shown[0].Subject}, {shown[0].NotBefore.ToUniversalTime():u} to {shown[0].NotAfter.ToUniversalTime():u}, and this host's clock says {time.GetUtcNow().UtcDateTime:u}";
    }

    private Status Install(IssuedCertificate issued, string keyPem, X509Certificate2Collection roots) =>
        Issued.Check(issued, keyPem, roots, time.GetUtcNow(), out string problem) is not { } good ? new Status(StatusCode.Internal, problem)
        : files.TryInstall(good.IdentityPem, good.RootsPem, out problem) ? Status.DefaultSuccess
        : new Status(StatusCode.Internal, problem);

    // A key of an attempt whose answer was lost is used again: the token may be used up by it.
    private string KeyOnDisk(out string keyPem)
    {
        keyPem = files.ReadNextKey(out string problem) ?? "";
        if (problem.Length > 0 || KeyRequest.PublicKeyOf(keyPem) is not null)
        {
            return problem;
        }

        keyPem = KeyRequest.NewKey();
        return files.TryWriteNextKey(keyPem, out problem) ? "" : problem;
    }

    private static X509Certificate2Collection Pinned(TrustResponse trust, EnrolmentToken token)
    {
        X509Certificate2Collection roots = [];
        foreach (ByteString der in trust.Roots)
        {
            try
            {
                X509Certificate2 root = X509CertificateLoader.LoadCertificate(der.Span);
                if (FleetAuthority.Pin(root).AsSpan().SequenceEqual(token.Pin.Span))
                {
                    roots.Add(root);
                }
            }
            catch (System.Security.Cryptography.CryptographicException)
            {
                // Bytes of a stranger; the others may be good.
                continue;
            }
        }

        return roots;
    }

    // Whom to believe is known only when the roots have come, so the chain is judged then; the name is judged now.
    private static SslClientAuthenticationOptions TlsOf(string serverName, X509Certificate2Collection shown) => new()
    {
        TargetHost = serverName,
        EnabledSslProtocols = SslProtocols.Tls13,
        CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            shown.Clear();
            if (certificate is null)
            {
                return false;
            }

            shown.Add(X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()));
            foreach (X509Certificate2 extra in chain?.ChainPolicy.ExtraStore ?? [])
            {
                shown.Add(X509CertificateLoader.LoadCertificate(extra.RawDataMemory.Span));
            }

            return (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None;
        },
    };
}
