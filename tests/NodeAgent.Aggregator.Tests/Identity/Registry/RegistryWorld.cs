using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.Hosting.Logs;
using NodeAgent.Journal;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Aggregator.Tests.Identity.Registry;

/// <summary>A registry on a simulated disk, and hosts that come to it.</summary>
internal sealed class RegistryWorld : IDisposable
{
    internal static readonly TimeSpan Life = TimeSpan.FromHours(24);

    internal RegistryWorld()
    {
        Pki = new FleetPki(Time.GetUtcNow());
        Issuer = new CertificateIssuer(Pki.Issuer, "lab", Life, Time);
        Registry = Open();
    }

    internal SimulatedTime Time { get; } = new();

    internal SimulatedDisk Disk { get; } = new(1);

    internal CapturingLogger Logs { get; } = new();

    internal FleetPki Pki { get; }

    internal CertificateIssuer Issuer { get; }

    internal IdentityRegistry Registry { get; private set; }

    internal byte[] Bundle { get; } = [1, 2, 3];

    internal static byte[] NewKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }

    internal EnrolmentToken Token(string name = "n1", FleetRole role = FleetRole.Agent, TimeSpan? life = null)
    {
        EnrolmentToken token = EnrolmentToken.Create(FleetAuthority.Pin(Pki.Root));
        Registry.CreateToken(token, role, name, life ?? TimeSpan.FromHours(1), "admin/ann");
        return token;
    }

    internal IssueOutcome Join(EnrolmentToken token, byte[] key) => Registry.Join(token, key, Issuer, Bundle, "192.0.2.7");

    /// <summary>Enrols a host and has it come once with what it got.</summary>
    internal PeerCertificate Enrol(string name = "n1")
    {
        PeerCertificate peer = Peer(Join(Token(name), NewKey()).Certificate!);
        Assert.Null(Registry.Admit(peer));
        return peer;
    }

    internal PeerCertificate Renew(PeerCertificate peer, byte[]? key = null)
    {
        IssueOutcome outcome = Registry.Renew(peer, key ?? NewKey(), Issuer, Bundle, null);
        Assert.True(outcome.Certificate is not null, outcome.Refusal);
        return Peer(outcome.Certificate);
    }

    internal static PeerCertificate Peer(byte[] certificate)
    {
        using X509Certificate2 loaded = X509CertificateLoader.LoadCertificate(certificate);
        return PeerCertificate.Of(loaded, FleetCertificate.ReadIdentity(loaded)!);
    }

    /// <summary>The power goes, and the aggregator starts again.</summary>
    internal void CutPower()
    {
        Disk.CutPower();
        Registry.Dispose();
        Registry = Open();
    }

    /// <summary>A restart in good order.</summary>
    internal void Restart()
    {
        Registry.Dispose();
        Registry = Open();
    }

    internal IReadOnlyDictionary<string, byte[]> Backup() => Disk.Paths.ToDictionary(path => path, Disk.ReadFile);

    internal void Restore(IReadOnlyDictionary<string, byte[]> files)
    {
        Registry.Dispose();
        Disk.Restore(files);
        Registry = Open();
    }

    public void Dispose()
    {
        Registry.Dispose();
        Pki.Dispose();
    }

    private IdentityRegistry Open()
    {
        JournalOptions options = IdentityJournal.OptionsIn("/state") with { Commit = CommitPolicy.None };
        Assert.True(IdentityRegistry.TryOpen(options, Disk, Time, new IdentityLog(new Logger<IdentityLog>(Logs), new RepeatedEventGate(Logs, Time)), out IdentityRegistry? registry, out OpenError? error), error?.Message);
        return registry;
    }
}
