using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Fleet;

public sealed class FleetTests : IDisposable
{
    private readonly string _root = Path.Combine(Directory.CreateTempSubdirectory("nodectl-fleet-").FullName, "lab");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_root)!, recursive: true);

    [Fact]
    public async Task Init_OfAFolder_MakesAFleetWhoseCertificatesItsCaProves()
    {
        Bench bench = new();
        bench.Variables["USER"] = "ann";

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "init", _root, "--name", "lab"]));
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "issue", _root, "agent", "gpu-01"]));
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "issue", _root, "viewer", "Grafana_2"]));

        foreach (string file in (string[])["aggregator", "operators/ann", "admins/ann", "agents/gpu-01", "viewers/Grafana_2"])
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(In(file + ".crt"), In(file + ".key"));
            Assert.Equal(file, Verify(certificate, bench) ? file : "not trusted");
            Assert.True(certificate.HasPrivateKey);
        }
    }

    [Theory]
    [InlineData("agents/gpu-01", "nodeagent://lab/agent/gpu-01")]
    [InlineData("operators/ann", "nodeagent://lab/operator/ann")]
    public async Task Issue_OfAClient_PutsTheIdentityIntoTheCertificate(string file, string uri)
    {
        await MakeFleetAsync();

        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(In(file + ".crt"));

        FleetIdentity identity = FleetCertificate.ReadIdentity(certificate)!;
        Assert.Equal(uri, identity.ToUri());
        Assert.Contains($"CN={identity.Name}", certificate.Subject, StringComparison.Ordinal);
        Assert.Equal(["1.3.6.1.5.5.7.3.2"], Usages(certificate));
    }

    [Fact]
    public async Task Init_WithoutNames_MakesAServerCertificateForThisHost()
    {
        await MakeFleetAsync();

        using X509Certificate2 server = X509CertificateLoader.LoadCertificateFromFile(In("aggregator.crt"));
        X509SubjectAlternativeNameExtension names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();

        Assert.Equal(["localhost", "bench"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "::1"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Contains("1.3.6.1.5.5.7.3.1", Usages(server));
        Assert.True(server.MatchesHostname("localhost"));
        Assert.False(server.MatchesHostname("elsewhere"));
    }

    [Fact]
    public async Task Authority_OfAFleet_MaySignCertificatesAndOneKindOfAuthority()
    {
        await MakeFleetAsync();

        using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(In("ca.crt"));
        X509BasicConstraintsExtension constraints = authority.Extensions.OfType<X509BasicConstraintsExtension>().Single();

        Assert.True(constraints is { CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 1, Critical: true });
        Assert.Equal(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, authority.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.InRange((authority.NotAfter - authority.NotBefore).TotalDays, 3652, 3654);
        Assert.Equal("1.2.840.10045.3.1.7", authority.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.Value); // prime256v1
    }

    [Fact]
    public async Task Issuer_OfAFleet_MaySignClientsForNinetyDaysAndNothingElse()
    {
        await MakeFleetAsync();
        Bench bench = new();
        CertificateMaker maker = new(bench.Time);
        using X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile(In("ca.crt"));
        using X509Certificate2 issuer = X509Certificate2.CreateFromPemFile(In("issuer.crt"), In("issuer.key"));
        Assert.InRange((issuer.NotAfter - issuer.NotBefore).TotalDays, 90, 90.1);

        using X509Certificate2 client = maker.MakeClient(issuer, new FleetIdentity("lab", FleetRole.Agent, "n1"), TimeSpan.FromDays(1));
        using X509Certificate2 server = maker.MakeServer(issuer, "lab", ["localhost"], TimeSpan.FromDays(1));
        using X509Certificate2 other = maker.MakeIssuer(issuer, "elsewhere", TimeSpan.FromDays(1));
        using X509Certificate2 below = maker.MakeClient(other, new FleetIdentity("lab", FleetRole.Admin, "mallory"), TimeSpan.FromDays(1));
        DateTimeOffset now = bench.Time.GetUtcNow();
        Assert.True(FleetAuthority.Trusts(client, [root], [issuer], FleetAuthority.ClientUse, now, out string problem), problem);
        Assert.False(FleetAuthority.Trusts(server, [root], [issuer], FleetAuthority.ServerUse, now, out _));
        Assert.False(FleetAuthority.Trusts(below, [root], [issuer, other], FleetAuthority.ClientUse, now, out _));

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "issuer", _root]));
        using X509Certificate2 next = X509CertificateLoader.LoadCertificateFromFile(In("issuer.crt"));
        Assert.NotEqual(issuer.SerialNumber, next.SerialNumber);
    }

    [Fact]
    public async Task Rotate_InThreeSteps_EverybodyBelievesEverybodyAtEach()
    {
        await MakeFleetAsync();
        DateTimeOffset now = new Bench().Time.GetUtcNow();
        using X509Certificate2 oldRoot = X509CertificateLoader.LoadCertificateFromFile(In("ca.crt"));
        using X509Certificate2 oldServer = X509CertificateLoader.LoadCertificateFromFile(In("aggregator.crt"));
        Bench bench = new();

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["ca", "rotate", _root, "--dry-run"]));
        Assert.StartsWith("would do step 1 of 3", bench.Output, StringComparison.Ordinal);
        Assert.Single(Roots());

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["ca", "rotate", _root]));
        using X509Certificate2 issuer = X509CertificateLoader.LoadCertificateFromFile(In("issuer.crt"));
        Assert.Equal(2, Roots().Count);
        Assert.True(FleetAuthority.Trusts(oldServer, Roots(), null, FleetAuthority.ServerUse, now, out string problem), problem);
        Assert.True(FleetAuthority.Trusts(issuer, Roots(), null, FleetAuthority.ClientUse, now, out problem), problem);
        Assert.False(FleetAuthority.Trusts(issuer, [oldRoot], null, FleetAuthority.ClientUse, now, out _));

        // Not before everybody holds both.
        bench.Fleet.DescribeCaAnswer.Members = 3;
        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["ca", "rotate", _root]));
        Assert.Contains("1 members do not hold both roots yet", bench.Errors, StringComparison.Ordinal);
        bench.Fleet.DescribeCaAnswer.WithBundle = 3;
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["ca", "rotate", _root]));
        using X509Certificate2 server = X509CertificateLoader.LoadCertificateFromFile(In("aggregator.crt"));
        Assert.True(FleetAuthority.Trusts(server, Roots(), null, FleetAuthority.ServerUse, now, out problem), problem);
        Assert.False(FleetAuthority.Trusts(server, [oldRoot], null, FleetAuthority.ServerUse, now, out _));
        Assert.True(server.MatchesHostname("localhost"));

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["ca", "rotate", _root]));
        Assert.Single(Roots());
        Assert.True(FleetAuthority.Trusts(server, Roots(), null, FleetAuthority.ServerUse, now, out problem), problem);
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "issue", _root, "viewer", "bob"]));
        using X509Certificate2 bob = X509CertificateLoader.LoadCertificateFromFile(In("viewers/bob.crt"));
        Assert.True(FleetAuthority.Trusts(bob, Roots(), null, FleetAuthority.ClientUse, now, out problem), problem);
    }

    [Fact]
    public async Task Keys_OfAFleet_AreForTheirOwnerOnly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix file modes");
            return;
        }

        await MakeFleetAsync();

        foreach (string key in (string[])["ca.key", "issuer.key", "aggregator.key", "operators/ann.key", "admins/ann.key", "agents/gpu-01.key"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(In(key)));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_root));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(In("agents")));
    }

    [Fact]
    public async Task Init_OfAnExistingFleet_ChangesNothingWithoutForce()
    {
        await MakeFleetAsync();
        string before = File.ReadAllText(In("ca.crt"));
        Bench bench = new();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["fleet", "init", _root, "--name", "lab"]));
        Assert.Equal($"nodectl: cannot write {In("ca.crt")}: it exists. Use --force to replace it; whoever holds the old one keeps it.\n", bench.Errors);
        Assert.Equal(before, File.ReadAllText(In("ca.crt")));

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "init", _root, "--name", "lab", "--force"]));
        Assert.NotEqual(before, File.ReadAllText(In("ca.crt")));
    }

    [Fact]
    public async Task Certificate_OfAnotherFleet_IsNotTrusted()
    {
        await MakeFleetAsync();
        Bench bench = new();
        CertificateMaker maker = new(bench.Time);
        using X509Certificate2 stranger = maker.MakeAuthority("lab", FleetIssuer.AuthorityValidity);
        using X509Certificate2 forged = maker.MakeClient(stranger, new FleetIdentity("lab", FleetRole.Admin, "mallory"), FleetIssuer.MemberValidity);

        Assert.False(Verify(forged, bench));
    }

    [Fact]
    public async Task Issue_BeyondTheAuthoritysLife_EndsWithIt()
    {
        Bench bench = new();
        await bench.RunAsync(["fleet", "init", _root, "--name", "lab"]);
        bench.Time.Advance(TimeSpan.FromDays(3_600));

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["fleet", "issue", _root, "agent", "late"]));

        using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(In("ca.crt"));
        using X509Certificate2 late = X509CertificateLoader.LoadCertificateFromFile(In("agents/late.crt"));
        Assert.Equal(authority.NotAfter, late.NotAfter);

        bench.Time.Advance(TimeSpan.FromDays(100));
        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["fleet", "issue", _root, "agent", "later"]));
        Assert.Contains("the fleet's CA expired", bench.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cannot use NAME '../x'", "agent", "../x")]
    [InlineData("cannot use NAME 'a/b'", "agent", "a/b")]
    [InlineData("cannot use NAME '..'", "agent", "..")]
    [InlineData("'agnet' is none of agent, viewer, operator, approver, admin, scraper. Did you mean 'agent'?", "agnet", "x")]
    public async Task Issue_OfABadNameOrRole_WritesNothing(string expected, string role, string name)
    {
        await MakeFleetAsync();
        Bench bench = new();

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["fleet", "issue", _root, role, name]));
        Assert.Contains(expected, bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Issue_WithoutAFleet_SaysHowToMakeOne()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["fleet", "issue", _root, "agent", "gpu-01"]));
        Assert.Equal($"nodectl: cannot issue a certificate: {_root} holds no fleet CA. Make one: nodectl fleet init {_root} --name FLEET.\n", bench.Errors);
    }

    [Fact]
    public async Task Init_OfAFleet_WritesAConfigurationThatNodectlReads()
    {
        await MakeFleetAsync();
        Bench bench = new();
        bench.Variables["NODECTL_CONFIG"] = _root;

        await bench.RunAsync(["status"]);

        Assert.Equal("localhost:7443", bench.Connected!.Server.Authority);
        Assert.Equal(In("ca.crt"), bench.Connected.CaPath);
        Assert.True(File.Exists(bench.Connected.CertificatePath));
        Assert.True(File.Exists(bench.Connected.KeyPath));
    }

    private X509Certificate2Collection Roots()
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPemFile(In("ca.crt"));
        return roots;
    }

    private string In(string file) => Path.Combine(_root, file);

    private async Task MakeFleetAsync()
    {
        Bench bench = new();
        bench.Variables["USER"] = "ann";
        await bench.RunAsync(["fleet", "init", _root, "--name", "lab"]);
        await bench.RunAsync(["fleet", "issue", _root, "agent", "gpu-01"]);
    }

    private bool Verify(X509Certificate2 certificate, Bench bench)
    {
        using X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(In("ca.crt"));
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = bench.Time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        return chain.Build(certificate);
    }

    private static string[] Usages(X509Certificate2 certificate) =>
        [.. certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Select(usage => usage.Value!)];
}
