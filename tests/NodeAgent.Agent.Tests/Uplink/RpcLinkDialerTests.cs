using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Identity;
using NodeAgent.Agent.Uplink;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class RpcLinkDialerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodeagent-dialer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Node_WithTls_IsWhatTheCertificateSays()
    {
        using MemberIdentity identity = RpcLinkDialer.TryLoadByHand(WithCertificate("nodeagent://fleet/agent/gpu-07"), out _)!;
        Assert.Equal("gpu-07", identity.Identity.Name);
        Assert.Null(identity.Credential);
    }

    [Fact]
    public void Node_WithoutTls_IsWhatTheConfigurationSays()
    {
        using RpcLinkDialer dialer = RpcLinkDialer.WithoutTls(new Uri("http://127.0.0.1:7443"), "bench-1");
        Assert.Equal("bench-1", dialer.Node);
    }

    [Theory]
    [InlineData("nodeagent://fleet/operator/ann")]
    [InlineData("https://fleet/agent/gpu-07")]
    [InlineData(null)]
    public void TryLoadByHand_CertificateOfNoAgent_SaysWhichFileAndWhatItMustHold(string? uri)
    {
        UplinkSettings settings = WithCertificate(uri);
        Assert.Null(RpcLinkDialer.TryLoadByHand(settings, out string error));
        Assert.Equal($"{settings.CertificateFile} is not an agent's: its one URI name must be nodeagent://FLEET/agent/NODE", error);
    }

    private UplinkSettings WithCertificate(string? uri)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=test", key, HashAlgorithmName.SHA256);
        if (uri is not null)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddUri(new Uri(uri));
            request.CertificateExtensions.Add(names.Build());
        }

        DateTimeOffset from = DateTimeOffset.UnixEpoch;
        using X509Certificate2 certificate = request.CreateSelfSigned(from, from.AddYears(100));
        return new UplinkSettings
        {
            CaFile = Write("ca.crt", certificate.ExportCertificatePem()),
            CertificateFile = Write("agent.crt", certificate.ExportCertificatePem()),
            KeyFile = Write("agent.key", key.ExportPkcs8PrivateKeyPem()),
        };
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
