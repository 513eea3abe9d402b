using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Testing.Fleet;

/// <summary>A fleet's certificates for tests: root, issuing CA, server, and whatever else somebody might show.</summary>
public sealed class FleetPki : IDisposable
{
    private readonly string _fleet;

    /// <summary>All of it good from two months before this moment on, for ten years.</summary>
    public FleetPki(DateTimeOffset now, string fleet = "lab")
    {
        _fleet = fleet;
        (From, Until) = (now - TimeSpan.FromDays(60), now + TimeSpan.FromDays(3650));
        Root = MakeRoot($"CN={fleet} fleet CA");
        Issuer = MakeIssuer(Root);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        Server = Make(Root, $"CN=aggregator, O={fleet}", names, [FleetAuthority.ServerUse, FleetAuthority.ClientUse], From, Until, null);
    }

    public DateTimeOffset From { get; }

    public DateTimeOffset Until { get; }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Issuer { get; }

    public X509Certificate2 Server { get; }

    public X509Certificate2Collection Roots => [Root];

    /// <summary>A client's certificate, as the root makes one by hand unless told otherwise.</summary>
    public X509Certificate2 Client(FleetIdentity identity, X509Certificate2? signer = null, DateTimeOffset? from = null, DateTimeOffset? until = null, FleetCredential? credential = null, string use = FleetAuthority.ClientUse) =>
        WithUri(identity.ToUri(), signer, from, until, credential, use);

    /// <summary>As <see cref="Client"/>, with any URI; null: none.</summary>
    public X509Certificate2 WithUri(string? uri, X509Certificate2? signer = null, DateTimeOffset? from = null, DateTimeOffset? until = null, FleetCredential? credential = null, string use = FleetAuthority.ClientUse)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("host.example");
        if (uri is not null)
        {
            names.AddUri(new Uri(uri));
        }

        return Make(signer ?? Root, "CN=member", names, [use], from ?? From, until ?? Until, credential);
    }

    public X509Certificate2 Member(FleetRole role, string name) => Client(new FleetIdentity(_fleet, role, name));

    /// <summary>Another root, of the same name or another.</summary>
    public X509Certificate2 MakeRoot(string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 made = request.CreateSelfSigned(From, Until);
        return Portable(made);
    }

    /// <summary>An issuing CA under a root, for clients only.</summary>
    public X509Certificate2 MakeIssuer(X509Certificate2 root, DateTimeOffset? until = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={_fleet} issuing CA, O={_fleet}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(FleetAuthority.ClientUse)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false));
        using X509Certificate2 bare = request.Create(root, From, until ?? Until, Serial());
        using X509Certificate2 made = bare.CopyWithPrivateKey(key);
        return Portable(made);
    }

    /// <summary>Puts a certificate and its key into two PEM files.</summary>
    public static void Write(string certificateFile, string keyFile, X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    public void Dispose()
    {
        Root.Dispose();
        Issuer.Dispose();
        Server.Dispose();
    }

    private static X509Certificate2 Make(
        X509Certificate2 signer, string subject, SubjectAlternativeNameBuilder names, string[] uses, DateTimeOffset from, DateTimeOffset until, FleetCredential? credential)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(use => new Oid(use))], false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signer, true, false));
        if (credential is not null)
        {
            request.CertificateExtensions.Add(credential.ToExtension());
        }

        // Not by the signer's certificate: the framework would refuse one that may not sign, and that is what some tests need.
        using ECDsa signing = signer.GetECDsaPrivateKey()!;
        using X509Certificate2 bare = request.Create(signer.SubjectName, X509SignatureGenerator.CreateForECDsa(signing), from, until, Serial());
        using X509Certificate2 made = bare.CopyWithPrivateKey(key);
        return Portable(made);
    }

    // TLS on Windows cannot use an ephemeral key.
    private static X509Certificate2 Portable(X509Certificate2 made) => X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);

    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
