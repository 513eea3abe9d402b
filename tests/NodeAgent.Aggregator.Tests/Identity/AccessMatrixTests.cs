using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.Reflection;
using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Testing.Fleet;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Identity;

/// <summary>Every RPC against every identity that must not have it, over real TLS.</summary>
public sealed class AccessMatrixTests
{
    private static readonly ServiceDescriptor[] Others = [.. AccessPolicyTests.Served.Where(service => service != Identities.Descriptor && service != Enrolment.Descriptor)];

    private static readonly MethodDescriptor[] Methods = [.. AccessPolicyTests.Served.Where(service => service != Enrolment.Descriptor).SelectMany(service => service.Methods)];

    [Fact]
    public async Task EveryRpc_ByWhoIsNotLetIn_IsNotEvenHeard()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        using FleetPki stranger = new(host.Time.GetUtcNow());
        DateTimeOffset now = host.Time.GetUtcNow();
        FleetIdentity admin = new("lab", FleetRole.Admin, "ann");
        FleetPki pki = host.Pki;
        X509Certificate2 revoked = await host.EnrolAsync("revoked");
        X509Certificate2 quarantined = await host.EnrolAsync("quarantined");
        X509Certificate2 stale = await host.EnrolAsync("old");
        host.Registry.Revoke(FleetRole.Agent, "revoked", "", "admin/ann", false, out _);
        host.Registry.Quarantine(FleetRole.Agent, "quarantined", "", "admin/ann", false, out _);

        (string Who, X509Certificate2? Certificate, string Reason)[] all =
        [
            ("no certificate", null, "no certificate was shown"),
            ("a rogue CA of the same name", stranger.Client(admin), ""),
            ("a rogue CA's issuing CA", stranger.Client(admin, stranger.Issuer), ""),
            ("a server's certificate", pki.Client(admin, use: FleetAuthority.ServerUse), ""),
            ("another fleet, signed by our root", pki.Client(admin with { Fleet = "other" }), "it is of fleet other, and this is lab"),
            ("expired, by hand", pki.Client(admin, from: now.AddDays(-30), until: now.AddHours(-1)), "it expired at"),
            ("not yet valid", pki.Client(admin, from: now.AddHours(1), until: now.AddDays(2)), "a clock is wrong"),
            ("a member's certificate as a CA", pki.Client(admin, pki.Member(FleetRole.Agent, "x")), ""),
            ("revoked", revoked, "agent/revoked was revoked"),
            ("quarantined", quarantined, "agent/quarantined is quarantined"),
            ("an enrolment that nobody knows", pki.Client(new FleetIdentity("lab", FleetRole.Agent, "n"), pki.Issuer, credential: new FleetCredential(Guid.NewGuid(), 1)), "no enrolment"),
        ];
        foreach ((string who, X509Certificate2? certificate, string reason) in all)
        {
            await NobodyHearsAsync(host, who, certificate);
            if (reason.Length > 0)
            {
                Assert.Contains(host.Logs.Named("CertificateRefused"), refused => refused.Message.Contains(reason, StringComparison.Ordinal));
            }
        }

        // 15 days after its end, the certificate of an enrolled host is as good as none.
        host.Time.Advance(TimeSpan.FromDays(15) + TimeSpan.FromHours(1));
        await NobodyHearsAsync(host, "expired 14 days ago and more", stale);
        Assert.Contains(host.Logs.Named("CertificateRefused"), refused => refused.Message.Contains("it expired at", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EveryRpc_ByACertificateThatExpiredDaysAgo_IsRenewalOnly()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        X509Certificate2 late = await host.EnrolAsync("late");
        host.Time.Advance(TimeSpan.FromDays(11));
        CallInvoker calls = host.As(late);
        foreach (MethodDescriptor method in Methods.Where(method => method.Name != "Renew"))
        {
            Status status = await CallAsync(calls, method);
            Assert.True(status.StatusCode == StatusCode.Unauthenticated && status.Detail.Contains("it can be renewed, and nothing else", StringComparison.Ordinal), $"{method.FullName}: {status}");
        }

        X509Certificate2 fresh = await host.RenewAsync(late);
        Assert.Equal(StatusCode.OK, (await CallAsync(host.As(fresh), AgentLink.Descriptor.Methods[0])).StatusCode);
    }

    [Fact]
    public async Task EveryRpc_ByEveryRole_IsAsTheTableSays()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        foreach (FleetRole role in Enum.GetValues<FleetRole>().Where(role => role != FleetRole.None))
        {
            CallInvoker calls = host.As(host.Pki.Member(role, "somebody"));
            foreach (MethodDescriptor method in Methods)
            {
                StatusCode code = (await CallAsync(calls, method)).StatusCode;
                bool isAllowed = AccessPolicyTests.MayCall(role, method);
                Assert.True(isAllowed == (code is not (StatusCode.PermissionDenied or StatusCode.Unauthenticated)), $"{role} on {method.FullName}: {code}");
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://lab/admin/ann")]
    [InlineData("nodeagent://lab/none/ann")]
    [InlineData("nodeagent://lab/root/ann")]
    public async Task EveryRpc_ByACertificateWithoutARole_IsDenied(string? uri)
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        CallInvoker calls = host.As(host.Pki.WithUri(uri));
        foreach (MethodDescriptor method in Methods)
        {
            Assert.Equal(StatusCode.Unauthenticated, (await CallAsync(calls, method)).StatusCode);
        }
    }

    [Fact]
    public async Task EveryRpc_ByAClone_IsDeniedToBothFromThenOn()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        X509Certificate2 copied = await host.EnrolAsync("n1");
        MethodDescriptor link = AgentLink.Descriptor.Methods[0];
        Assert.Equal(StatusCode.OK, (await CallAsync(host.As(copied), link)).StatusCode);
        X509Certificate2 genuine = await host.RenewAsync(copied);
        CallInvoker ofTheGenuine = host.As(genuine);
        Assert.Equal(StatusCode.OK, (await CallAsync(ofTheGenuine, link)).StatusCode);

        Status refused = await CallAsync(host.As(copied), link);
        Assert.True(refused.StatusCode is StatusCode.PermissionDenied or StatusCode.Unavailable, refused.ToString()); // the connection may be ended before the answer is read
        host.Logs.Single("IdentityCloned");
        foreach (MethodDescriptor method in Methods)
        {
            Assert.NotEqual(StatusCode.OK, (await CallAsync(ofTheGenuine, method)).StatusCode);
            Assert.NotEqual(StatusCode.OK, (await CallAsync(host.As(copied), method)).StatusCode);
        }
    }

    [Fact]
    public async Task DoorForStrangers_EveryOtherRpc_IsNotThere()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(Others);
        CallInvoker calls = host.StrangersInvoker();
        foreach (MethodDescriptor method in Methods)
        {
            Assert.Equal(StatusCode.Unimplemented, (await CallAsync(calls, method)).StatusCode);
        }

        foreach (MethodDescriptor method in Enrolment.Descriptor.Methods)
        {
            // Neither is it at the other door, whoever asks.
            Assert.Equal(StatusCode.Unimplemented, (await CallAsync(host.As(host.Pki.Member(FleetRole.Admin, "ann")), method)).StatusCode);
        }
    }

    private static async Task NobodyHearsAsync(TlsFleetHost host, string who, X509Certificate2? certificate)
    {
        foreach (MethodDescriptor method in Methods)
        {
            Status status = await CallAsync(host.As(certificate), method);
            Assert.True(status.StatusCode == StatusCode.Unavailable, $"{who} on {method.FullName}: {status}");
        }
    }

    private static async Task<Status> CallAsync(CallInvoker calls, MethodDescriptor method)
    {
        try
        {
            await calls.AsyncUnaryCall(TlsFleetHost.Bytes(method), null, new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(30)), []).ResponseAsync;
            return Status.DefaultSuccess;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }
}
