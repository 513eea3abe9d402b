using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Ctl.Connection;

/// <summary>TLS as every connection of nodectl uses it: 1.2 or newer, HTTP/2, the fleet's CA as the only root when one is given.</summary>
internal static class TlsOptions
{
    public static SslClientAuthenticationOptions Client(string host, X509Certificate2Collection? authorities, X509Certificate2? identity, X509Certificate2Collection? between = null)
    {
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            // The fleet's CA publishes no revocation list; with the system's roots the network would be asked in the middle of a call.
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (identity is not null) options.ClientCertificateContext = SslStreamCertificateContext.Create(identity, between, offline: true);
        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }
}
