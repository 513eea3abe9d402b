using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// Who a certificate says its holder is. The first byte picks what the rest is: a whole certificate, its subject alternative names, or
/// the URI alone.
/// </summary>
internal sealed class IdentityTarget : Engine.IFuzzTarget
{
    private const string SubjectAlternativeNames = "2.5.29.17";
    private const string Uri = "nodeagent://fleet-1/agent/node-1.example";

    public string Name => "identity";

    public IReadOnlyList<byte[]> Seeds { get; } = [[0, .. Certificate(Names())], [1, .. Names()], [2, .. Encoding.ASCII.GetBytes(Uri)]];

    public IReadOnlyList<byte[]> Dictionary { get; } =
        [.. "nodeagent:// /admin/ /operator/ .. %2e".Split(' ').Select(Encoding.ASCII.GetBytes), [0x86, 0x82], [0x30, 0x80], [0x86, 0x84, 0xFF]];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        byte[] rest = input[1..].ToArray();
        switch (input[0] % 3)
        {
            case 0:
                ReadCertificate(rest);
                break;
            case 1:
                ReadCertificate(Certificate(rest));
                break;
            default:
                string uri = Encoding.UTF8.GetString(rest);
                Invariant.Holds(!FleetIdentity.TryParse(uri, out FleetIdentity? identity) || identity.ToUri() == uri, "a URI has one reading");
                break;
        }
    }

    private static void ReadCertificate(byte[] der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            CallerIdentity? caller = CertificateIdentity.Read(certificate);
            string? uri = caller?.Identity.ToUri();
            Invariant.Holds(uri is null || der.AsSpan().IndexOf(Encoding.ASCII.GetBytes(uri)) >= 0, "nobody is whom the certificate does not name");
        }
        catch (CryptographicException) // no certificate at all: the handshake ends before ours begins
        {
        }
    }

    private static byte[] Names()
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("node-1.example");
        names.AddUri(new Uri(Uri));
        return names.Build().RawData;
    }

    private static byte[] Certificate(byte[] names)
    {
        PublicKey key = new(new Oid("1.2.840.113549.1.1.1"), new AsnEncodedData([5, 0]), new AsnEncodedData([0x30, 6, 2, 1, 33, 2, 1, 3]));
        CertificateRequest request = new(new X500DistinguishedName("CN=node-1"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(SubjectAlternativeNames, names, critical: false));
        using X509Certificate2 certificate = request.Create(
            request.SubjectName, new ConstantSignature(key), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(80), [1]);
        return certificate.RawData;
    }

    // A real one is random, and then a seed number would not give the same inputs. Nothing here verifies it.
    private sealed class ConstantSignature(PublicKey key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            [0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 13, 1, 1, 11, 5, 0]; // sha256WithRSAEncryption, RFC 4055

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => [1, 2, 3, 4];

        protected override PublicKey BuildPublicKey() => key;
    }
}
