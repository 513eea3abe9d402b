using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Tests.Identity;

public sealed class CertificateIdentityTests
{
    [Fact]
    public void Read_OneUriOfOurs_IsTheIdentity()
    {
        using X509Certificate2 certificate = WithNames(names =>
        {
            names.AddDnsName("host.example");
            names.AddUri(new Uri("nodeagent://fleet/agent/node-1"));
            names.AddIpAddress(System.Net.IPAddress.Loopback);
        });
        CallerIdentity caller = CertificateIdentity.Read(certificate)!;
        Assert.Equal(new FleetIdentity("fleet", FleetRole.Agent, "node-1"), caller.Identity);
        Assert.Equal(("node-1", "agent/node-1"), (caller.Name, caller.ToString()));
        Assert.Same(caller, CertificateIdentity.Read(certificate)); // parsed once a connection
    }

    [Fact]
    public void Read_NoNamesOrNoUri_IsNobody()
    {
        using X509Certificate2 none = Make(null);
        using X509Certificate2 dns = WithNames(names => names.AddDnsName("nodeagent://fleet/admin/me"));
        Assert.Null(CertificateIdentity.Read(none));
        Assert.Null(CertificateIdentity.Read(dns));
    }

    [Fact]
    public void Read_SeveralUris_IsNobodyInWhateverOrder()
    {
        foreach (string[] uris in new string[][]
        {
            ["nodeagent://f/agent/a", "nodeagent://f/admin/b"], ["nodeagent://f/agent/a", "https://x.example/"],
            ["https://x.example/", "nodeagent://f/agent/a"], ["nodeagent://f/agent/a", "nodeagent://f/agent/a"],
        })
        {
            using X509Certificate2 certificate = Make(Names(uris));
            Assert.Null(CertificateIdentity.Read(certificate));
        }
    }

    [Theory]
    [InlineData("https://fleet/agent/a")]
    [InlineData("NODEAGENT://f/agent/a")]
    [InlineData("nodeagent://f/Agent/a")]
    [InlineData("nodeagent://f/none/a")]
    [InlineData("nodeagent://f/root/a")]
    [InlineData("nodeagent://f/agent/")]
    [InlineData("nodeagent:///agent/a")]
    [InlineData("nodeagent://f/agent/a/b")]
    [InlineData("nodeagent://f/agent/a?x")]
    [InlineData("nodeagent://f/agent/..")]
    [InlineData("nodeagent://f/agent/a\n")]
    [InlineData("nodeagent://f/agent/a\0b")]
    [InlineData("nodeagent://f/agent")]
    [InlineData(" nodeagent://f/agent/a")]
    [InlineData("")]
    public void Read_ForeignUri_IsNobody(string uri)
    {
        using X509Certificate2 certificate = Make(Names(uri));
        Assert.Null(CertificateIdentity.Read(certificate));
    }

    [Fact]
    public void Read_MalformedExtension_IsNobody()
    {
        byte[] good = Names("nodeagent://f/agent/a");
        byte[][] malformed = [[], [0x30], [0x30, 0x80], [0x30, 0x03, 0x86, 0x05, 0x61], [0x04, 0x01, 0x00], good[..^1], [.. good, 0x00]];
        foreach (byte[] extension in malformed)
        {
            using X509Certificate2 certificate = Make(extension);
            Assert.True(CertificateIdentity.Read(certificate) is null, Convert.ToHexString(extension));
        }
    }

    private static byte[] Names(params string[] uris)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (string uri in uris)
            {
                writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, 6));
            }
        }

        return writer.Encode();
    }

    private static X509Certificate2 WithNames(Action<SubjectAlternativeNameBuilder> add)
    {
        SubjectAlternativeNameBuilder names = new();
        add(names);
        return Make(names.Build().RawData);
    }

    private static X509Certificate2 Make(byte[]? names)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=test", key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            request.CertificateExtensions.Add(new X509Extension(new Oid("2.5.29.17"), names, critical: false));
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
    }
}
