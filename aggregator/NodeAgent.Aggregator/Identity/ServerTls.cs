using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>Mutual TLS 1.3: our certificate, and only clients that the fleet's roots stand behind and the registry knows nothing against.</summary>
internal sealed class ServerTls(FleetTrustHolder trust, IdentityRegistry registry, IdentityLog log, TimeProvider time)
{
    /// <summary>For one connection, so that a refusal can say whose it was.</summary>
    internal SslServerAuthenticationOptions OptionsFor(string peer, SslApplicationProtocol protocol) => new()
    {
        ServerCertificateContext = trust.Current.ServerContext,
        EnabledSslProtocols = SslProtocols.Tls13,
        ApplicationProtocols = [protocol],
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // no CRL is published; the registry is asked instead
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsLetIn(peer, certificate, chain),
    };

    private bool IsLetIn(string peer, X509Certificate? shown, X509Chain? chain)
    {
        using X509Certificate2? copy = shown is null or X509Certificate2 ? null : X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        X509Certificate2? certificate = shown as X509Certificate2 ?? copy;
        string refusal = certificate is null ? "no certificate was shown" : RefusalOf(certificate, chain?.ChainPolicy.ExtraStore);
        if (refusal.Length > 0)
        {
            log.Refused(peer, certificate?.Subject ?? "nobody", refusal);
        }

        return refusal.Length == 0;
    }

    /// <summary>Why a client's certificate is refused; empty: it is let in. One that has expired is, for its renewal.</summary>
    internal string RefusalOf(X509Certificate2 certificate, X509Certificate2Collection? sent)
    {
        FleetTrust present = trust.Current;
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset end = new(certificate.NotAfter);
        bool isLate = now >= end;

        // What has expired is judged as of its last second: its issuer may have ended since.
        X509Certificate2Collection between = [.. present.Between, .. sent ?? []];
        if (!FleetAuthority.Trusts(certificate, present.Roots, between, FleetAuthority.ClientUse, isLate ? end.AddSeconds(-1) : now, out string problem))
        {
            return now < new DateTimeOffset(certificate.NotBefore) ? $"it is not valid before {certificate.NotBefore.ToUniversalTime():u}: a clock is wrong, here or there" : problem;
        }

        if (FleetCertificate.ReadIdentity(certificate) is not { } identity)
        {
            return isLate ? Expired(end) : ""; // who is nobody can call nothing, and is told why
        }

        PeerCertificate peer = PeerCertificate.Of(certificate, identity);
        return present.Fleet.Length > 0 && identity.Fleet != present.Fleet ? $"it is of fleet {identity.Fleet}, and this is {present.Fleet}"
            : registry.DenialOf(peer) is { } denial ? denial
            : !isLate ? ""
            : peer.Credential is null || present.Issuer is null || !peer.IsRenewable(time) ? Expired(end)
            : "";
    }

    private static string Expired(DateTimeOffset end) => $"it expired at {end.UtcDateTime:u}";
}
