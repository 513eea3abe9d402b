using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Interop.Tests.Foreign;

/// <summary>PEM files as a foreign program takes them; without a certificate for a client that presents none.</summary>
internal sealed record PemFiles(string Ca, string? Certificate, string? Key);

/// <summary>
/// A certificate authority made for one test class, with a server and a client certificate (P-256) and a stranger's pair from another authority.
/// The files lie in a folder of their own until disposal.
/// </summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nodeagent-interop-");

    internal TestCertificates()
    {
        Authority = CreateAuthority("interop authority");
        using X509Certificate2 strangers = CreateAuthority("another authority");
        Server = Issue(Authority, "localhost", serial: 1);
        Client = Issue(Authority, "interop-client", serial: 2);
        Stranger = Issue(strangers, "stranger", serial: 1);

        string ca = Write("ca.pem", Authority.ExportCertificatePem());
        ServerFiles = WritePair(ca, "server", Server);
        ClientFiles = WritePair(ca, "client", Client);
        StrangerFiles = WritePair(ca, "stranger", Stranger);
        Anonymous = new PemFiles(ca, null, null);
        DistrustfulFiles = ClientFiles with { Ca = Write("strangers-ca.pem", strangers.ExportCertificatePem()) };
    }

    internal X509Certificate2 Authority { get; }

    internal X509Certificate2 Server { get; }

    internal X509Certificate2 Client { get; }

    /// <summary>A client certificate that this authority has not signed.</summary>
    internal X509Certificate2 Stranger { get; }

    internal PemFiles ServerFiles { get; }

    internal PemFiles ClientFiles { get; }

    internal PemFiles StrangerFiles { get; }

    /// <summary>Trusts the server and presents nothing.</summary>
    internal PemFiles Anonymous { get; }

    /// <summary>Presents the right certificate and trusts only another authority.</summary>
    internal PemFiles DistrustfulFiles { get; }

    /// <summary>Whether this authority signed the certificate, now valid; the platform's own trust plays no part.</summary>
    internal bool Signed(X509Certificate certificate)
    {
        using X509Chain chain = new() { ChainPolicy = Policy() };
        using X509Certificate2 copy = new(certificate);
        return chain.Build(copy);
    }

    internal X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
        Client.Dispose();
        Stranger.Dispose();
        _folder.Delete(recursive: true);
    }

    private static X509Certificate2 CreateAuthority(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name, byte serial)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, authority.NotBefore, authority.NotAfter, [serial]);
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);

        // Some platforms' TLS does not take a key that was never imported.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private PemFiles WritePair(string ca, string name, X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        return new PemFiles(
            ca, Write($"{name}.pem", certificate.ExportCertificatePem()), Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    private string Write(string name, string content)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
