using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Rpc.Security;

/// <summary>The client's half of mutual TLS: one certificate to show, one set of authorities to believe, nothing of the system's.</summary>
public static class MutualTls
{
    /// <summary>Loads a PEM certificate with its PEM key. Null: <paramref name="error"/> names the file and what is wrong with it.</summary>
    public static X509Certificate2? TryLoadIdentity(string certificateFile, string keyFile, out string error)
    {
        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            error = "";

            // SslStream on Windows cannot use the ephemeral key that the PEM reader makes; a round trip through PKCS#12 serves both.
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), password: null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            error = $"{certificateFile} with {keyFile}: {e.Message}";
            return null;
        }
    }

    /// <summary>Loads the certificates of a PEM file as authorities. Null: <paramref name="error"/> names the file and what is wrong with it.</summary>
    public static X509Certificate2Collection? TryLoadAuthorities(string file, out string error)
    {
        try
        {
            X509Certificate2Collection authorities = [];
            authorities.ImportFromPemFile(file);
            error = authorities.Count > 0 ? "" : $"{file}: there is no certificate in it";
            return authorities.Count > 0 ? authorities : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            error = $"{file}: {e.Message}";
            return null;
        }
    }

    /// <summary>TLS 1.3 to a server whose certificate one of the authorities stands behind, for this name.</summary>
    /// <param name="serverName">In the server's certificate.</param>
    /// <param name="authorities">Roots that are believed.</param>
    /// <param name="identity">Shown to the server, with its key.</param>
    /// <param name="between">Shown with it: what stands between it and a root that the server believes. Null: nothing does.</param>
    public static SslClientAuthenticationOptions ClientOptions(
        string serverName, X509Certificate2Collection authorities, X509Certificate2 identity, X509Certificate2Collection? between = null)
    {
        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,

            // No CRL is published, and a handshake must not start fetching things.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = SslStreamCertificateContext.Create(identity, between, offline: true),
            CertificateChainPolicy = policy,
        };
    }
}
