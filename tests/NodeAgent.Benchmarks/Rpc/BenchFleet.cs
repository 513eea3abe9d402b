using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Security;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>A throw-away fleet made by nodectl, and agents' certificates made here: two thousand runs of nodectl would take an hour.</summary>
internal sealed class BenchFleet : IDisposable
{
    private readonly string _folder;
    private readonly X509Certificate2Collection _authorities;
    private readonly X509Certificate2 _authority;

    private BenchFleet(string folder)
    {
        _folder = folder;
        _authority = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key"));
        _authorities = MutualTls.TryLoadAuthorities(Path.Combine(folder, "ca.crt"), out string error) ?? throw new InvalidOperationException(error);
    }

    /// <summary>The aggregator's settings.</summary>
    internal IReadOnlyList<string> Settings =>
    [
        "--set", $"listen.ca_file={Path.Combine(_folder, "ca.crt")}",
        "--set", $"listen.certificate_file={Path.Combine(_folder, "aggregator.crt")}",
        "--set", $"listen.key_file={Path.Combine(_folder, "aggregator.key")}",
    ];

    internal static async Task<BenchFleet> MakeAsync(string folder)
    {
        (int exitCode, string output) = await RealProcess.RunAsync(
            Repository.CtlProgram, ["fleet", "init", folder, "--name", "local", "--operator", "local"], TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        return exitCode == 0 ? new BenchFleet(folder) : throw new InvalidOperationException(output);
    }

    /// <summary>Asks the aggregator as the operator.</summary>
    internal AggregatorClient Client(string address) => AggregatorClient.Tls(
        address, Path.Combine(_folder, "ca.crt"), Path.Combine(_folder, "operators", "local.crt"), Path.Combine(_folder, "operators", "local.key"));

    /// <summary>What an agent brings to the handshake.</summary>
    internal Func<SslClientAuthenticationOptions> TlsOf(string node)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={node}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddUri(new Uri(new FleetIdentity("local", FleetRole.Agent, node).ToUri()));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using X509Certificate2 bare = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, RandomNumberGenerator.GetBytes(12));
        X509Certificate2 identity = bare.CopyWithPrivateKey(key);
        return () => MutualTls.ClientOptions("127.0.0.1", _authorities, identity);
    }

    public void Dispose() => _authority.Dispose();
}
