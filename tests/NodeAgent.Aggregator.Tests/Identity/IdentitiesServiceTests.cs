using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Identity;

/// <summary>Both doors, over real TLS, with what an admin does.</summary>
public sealed class IdentitiesServiceTests
{
    private static readonly ByteString AnyRequest = Request();

    [Fact]
    public async Task Enrolment_FromTokenToARenewedCertificate_Works()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        X509Certificate2 first = await host.EnrolAsync("gpu-17");
        X509Certificate2 second = await host.RenewAsync(first);
        Assert.Equal(FleetCertificate.ReadIdentity(first), FleetCertificate.ReadIdentity(second));
        Assert.NotEqual(first.PublicKey.ExportSubjectPublicKeyInfo(), second.PublicKey.ExportSubjectPublicKeyInfo());

        IdentityInfo listed = Assert.Single((await host.Admin().ListIdentitiesAsync(new ListIdentitiesRequest())).Identities);
        Assert.Equal(("gpu-17", "agent", IdentityState.Active, 1u, true), (listed.Name, listed.Role, listed.State, listed.Generation, listed.Renewing));
        TokenInfo token = Assert.Single((await host.Admin().ListTokensAsync(new ListTokensRequest())).Tokens);
        Assert.Equal((TokenState.Used, "admin/ann", "127.0.0.1"), (token.State, token.CreatedBy, token.EndedBy));
    }

    [Fact]
    public async Task Trust_OfTheDoorForStrangers_HasTheRootWhoseKeyIsPinned()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        TrustResponse trust = await host.Stranger().TrustAsync(new TrustRequest());
        using X509Certificate2 root = X509CertificateLoader.LoadCertificate(Assert.Single(trust.Roots).Span);
        CreateTokenResponse made = await host.Admin().CreateTokenAsync(new CreateTokenRequest { Role = "agent", Name = "n1" });
        Assert.True(EnrolmentToken.TryParse(made.Token, out EnrolmentToken? token));
        Assert.Equal(FleetAuthority.Pin(root), token.Pin.ToArray());
    }

    [Fact]
    public async Task Join_Guessing_IsToldNothingAndThenHasToWait()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        Enrolment.EnrolmentClient stranger = host.Stranger();
        foreach (string token in new[] { EnrolmentToken.Create(new byte[32]).Reveal(), EnrolmentToken.Create(new byte[32]).Reveal(), "na1.x.y.z", "", new string('a', 1000) })
        {
            RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await stranger.JoinAsync(new JoinRequest { Token = token, Request = AnyRequest }));
            Assert.Equal((StatusCode.PermissionDenied, "the token is not good"), (refused.StatusCode, refused.Status.Detail));
        }

        // The sixth is not even looked at, also with a token that is good; a minute later it is.
        CreateTokenResponse good = await host.Admin().CreateTokenAsync(new CreateTokenRequest { Role = "agent", Name = "n1" });
        JoinRequest join = new() { Token = good.Token, Request = AnyRequest };
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(async () => await stranger.JoinAsync(join))).StatusCode);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull((await stranger.JoinAsync(join)).Issued);
    }

    [Fact]
    public async Task Join_MoreThan16Kib_IsRefused()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Stranger().JoinAsync(new JoinRequest { Token = new string('a', EnrolmentListener.MaxMessageBytes) }));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
    }

    [Fact]
    public async Task CreateToken_BadRoleNameOrLife_IsRefused()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        foreach (CreateTokenRequest request in new CreateTokenRequest[]
        {
            new(), new() { Role = "agent" }, new() { Role = "root", Name = "n" }, new() { Role = "none", Name = "n" }, new() { Role = "agent", Name = "../n" },
            new() { Role = "agent", Name = "n\e[31m" }, new() { Role = "agent", Name = "n", TtlSeconds = 86401 },
        })
        {
            Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await host.Admin().CreateTokenAsync(request))).StatusCode);
        }
    }

    [Fact]
    public async Task Renew_OfACertificateMadeByHand_SaysWhatToDo()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        Identities.IdentitiesClient byHand = new(host.As(host.Pki.Member(FleetRole.Agent, "n1")));
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await byHand.RenewAsync(new RenewRequest { Request = AnyRequest }));
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("nodeagent enrol", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_AfterTenDaysOfOutage_WorksAndAfterFifteenDoesNot()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        X509Certificate2 ten = await host.EnrolAsync("ten");
        X509Certificate2 fifteen = await host.EnrolAsync("fifteen");
        host.Time.Advance(TimeSpan.FromDays(10));
        X509Certificate2 fresh = await host.RenewAsync(ten);
        Assert.Equal(2u, FleetCredential.TryRead(fresh, out FleetCredential? credential) ? credential.Generation : 0);
        host.Time.Advance(TimeSpan.FromDays(5) + TimeSpan.FromHours(1));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => host.RenewAsync(fifteen))).StatusCode);
    }

    [Fact]
    public async Task RevokeIdentity_WithALiveStream_EndsItAtOnce()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        X509Certificate2 agent = await host.EnrolAsync("n1");
        X509Certificate2 other = await host.EnrolAsync("n2");
        using AsyncServerStreamingCall<byte[]> stream = Endless(host.As(agent));
        using AsyncServerStreamingCall<byte[]> untouched = Endless(host.As(other));
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.True(await untouched.ResponseStream.MoveNext(default));

        RevokeIdentityResponse answer = await host.Admin().RevokeIdentityAsync(new RevokeIdentityRequest { Name = "n1", Reason = "stolen" });
        Assert.Equal(1u, answer.Connections);
        await EndsAsync(stream);
        Assert.Contains("stolen", host.Logs.Single("IdentityConnectionEnded").Message, StringComparison.Ordinal);
        Assert.True(await untouched.ResponseStream.MoveNext(default));
        Assert.Equal(IdentityState.Revoked, Assert.Single((await host.Admin().ListIdentitiesAsync(new ListIdentitiesRequest { Name = "n1", All = true })).Identities).State);
    }

    [Fact]
    public async Task Sweep_CertificateThatEndedUnderItsConnection_EndsIt()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        using AsyncServerStreamingCall<byte[]> stream = Endless(host.As(await host.EnrolAsync("n1")));
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.Equal(0, host.Connections.Sweep());
        host.Time.Advance(TimeSpan.FromHours(24) + TimeSpan.FromMinutes(1));
        Assert.Equal(1, host.Connections.Sweep());
        await EndsAsync(stream);
    }

    [Fact]
    public async Task ReloadCa_InThreeSteps_ChangesTheRootAndCutsNobodyOff()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        X509Certificate2 member = await host.EnrolAsync("n1");
        member = await host.RenewAsync(member);
        X509Certificate2 root = host.Pki.MakeRoot("CN=lab fleet CA");
        X509Certificate2 issuer = host.Pki.MakeIssuer(root);

        // Both roots, and issuing from the new one: everybody goes on.
        host.WriteFiles([host.Pki.Root, root], issuer, host.Pki.Server);
        ReloadCaResponse dry = await host.Admin().ReloadCaAsync(new ReloadCaRequest { DryRun = true });
        Assert.Equal((2, 0u), (dry.Changes.Count, dry.CutOff));
        Assert.Equal(host.Pki.Issuer.Thumbprint, host.Trust.Current.Issuer!.Authority.Thumbprint);
        await host.Admin().ReloadCaAsync(new ReloadCaRequest());
        DescribeCaResponse described = await host.Admin().DescribeCaAsync(new DescribeCaRequest());
        Assert.Equal((1u, 0u), (described.Members, described.WithBundle));

        // Too early for the last step: the member stands on the old root.
        host.WriteFiles([root], issuer, host.Pki.Server);
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(async () => await host.Admin().ReloadCaAsync(new ReloadCaRequest()))).StatusCode);

        host.WriteFiles([host.Pki.Root, root], issuer, host.Pki.Server);
        member = await host.RenewAsync(member);
        Assert.Null(host.Registry.Admit(PeerCertificate.Of(member, FleetCertificate.ReadIdentity(member)!)));
        described = await host.Admin().DescribeCaAsync(new DescribeCaRequest());
        Assert.Equal((1u, 1u), (described.Members, described.WithBundle));
        Assert.True(FleetAuthority.Trusts(member, [root], [issuer], FleetAuthority.ClientUse, host.Time.GetUtcNow(), out string problem), problem);
    }

    [Fact]
    public async Task ReloadCa_FilesThatDoNotFit_ChangesNothing()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        using FleetTrustFiles _ = new(host);
        host.WriteFiles([host.Pki.MakeRoot("CN=lab fleet CA")], host.Pki.Issuer, host.Pki.Server);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Admin().ReloadCaAsync(new ReloadCaRequest { Force = true }));
        Assert.Contains("do not stand behind it", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void IssuingCa_AsAServersSigner_IsNotBelieved()
    {
        using Testing.Fleet.FleetPki pki = new(TimeProvider.System.GetUtcNow());
        using X509Certificate2 forged = pki.Client(new FleetIdentity("lab", FleetRole.Agent, "n1"), pki.Issuer, use: FleetAuthority.ServerUse);
        Assert.False(FleetAuthority.Trusts(forged, pki.Roots, [pki.Issuer], FleetAuthority.ServerUse, TimeProvider.System.GetUtcNow(), out _));
        using X509Certificate2 member = pki.Client(new FleetIdentity("lab", FleetRole.Agent, "n1"), pki.Issuer);
        Assert.True(FleetAuthority.Trusts(member, pki.Roots, [pki.Issuer], FleetAuthority.ClientUse, TimeProvider.System.GetUtcNow(), out string problem), problem);
    }

    // What was sent before may still be read.
    private static async Task EndsAsync(AsyncServerStreamingCall<byte[]> stream)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5), TimeProvider.System);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.ResponseStream.MoveNext(limit.Token))
            {
            }
        });
        Assert.False(limit.IsCancellationRequested, "the stream did not end within 5 s");
    }

    private static ByteString Request()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return TlsFleetHost.RequestFor(key);
    }

    private static AsyncServerStreamingCall<byte[]> Endless(CallInvoker calls) =>
        calls.AsyncServerStreamingCall(TlsFleetHost.EndlessMethod, null, default, []);

    private sealed class FleetTrustFiles(TlsFleetHost host) : IDisposable
    {
        private readonly FleetTrust _before = host.Trust.Current;

        public void Dispose() => Assert.Same(_before, host.Trust.Current);
    }
}
