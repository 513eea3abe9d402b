using Grpc.Core;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Identity;
using NodeAgent.Agent.Uplink;
using NodeAgent.Aggregator.Tests.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Hosting.Logs;
using NodeAgent.Journal.Files;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Testing.Disk;
using NodeAgent.Testing.Fleet;
using NodeAgent.V1;

namespace NodeAgent.Simulation.Tests.Identity;

/// <summary>The agent's side of enrolment and renewal against the aggregator's, over real TLS, the agent's disk simulated.</summary>
public sealed class AgentIdentityTests
{
    private const string Directory = "/identity";

    private readonly SimulatedDisk _disk = new(1);

    private IdentityFiles Files => new(_disk, Directory);

    [Fact]
    public async Task TryJoin_WithAGoodToken_LeavesAnIdentityOnTheDisk()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        Status joined = await JoinAsync(host, "gpu-17");
        Assert.True(joined.StatusCode == StatusCode.OK, joined.ToString());
        _disk.CutPower();
        using MemberIdentity identity = Load();
        Assert.Equal("gpu-17", identity.Identity.Name);
        Assert.Equal(StatusCode.OK, await CallAsync(host, identity));
        Assert.Equal(["/identity/identity.pem", "/identity/roots.pem"], _disk.Paths);
    }

    [Fact]
    public async Task TryJoin_TokenOfAnotherFleet_SendsNothing()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        using FleetPki other = new(host.Time.GetUtcNow());
        EnrolmentToken token = EnrolmentToken.Create(FleetAuthority.Pin(other.Root));
        Status status = await Task.Run(() => new Enrolling(Files, host.Time).TryJoin(host.EnrolmentAddress, null, token, default));
        Assert.Equal(StatusCode.PermissionDenied, status.StatusCode);
        Assert.Contains("has no root with the token's pin. Nothing was sent to it", status.Detail, StringComparison.Ordinal);
        Assert.Empty(host.Logs.Named("JoinTokenRefused"));
    }

    [Fact]
    public async Task TryJoin_ServerThatOnlyShowsTheRightRoot_IsNotToldTheToken()
    {
        // A server of another fleet that repeats our root, which is no secret, but cannot show a certificate of it.
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        using FleetPki other = new(host.Time.GetUtcNow());
        EnrolmentToken token = EnrolmentToken.Create(FleetAuthority.Pin(other.Root));
        host.WriteFiles([host.Pki.Root, other.Root], host.Pki.Issuer, host.Pki.Server);
        await host.Admin().ReloadCaAsync(new ReloadCaRequest());
        Status status = await Task.Run(() => new Enrolling(Files, host.Time).TryJoin(host.EnrolmentAddress, null, token, default));
        Assert.Equal(StatusCode.PermissionDenied, status.StatusCode);
        Assert.Contains("cannot prove that it is of the fleet that made the token", status.Detail, StringComparison.Ordinal);
        Assert.Empty(host.Logs.Named("JoinTokenRefused"));
    }

    [Fact]
    public async Task TryJoin_CrashAtEveryCallOfTheDisk_TheSameTokenGoesOn()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        bool isDone = false;
        for (int k = 1; !isDone; k++)
        {
            Assert.InRange(k, 1, 60);
            _disk.Restore(new Dictionary<string, byte[]>());
            EnrolmentToken token = await TokenAsync(host, $"n{k}");
            _disk.Fault = new DiskFault(DiskFaultKind.Error, _disk.Calls + k, Errno.InputOutput, int.MaxValue);
            isDone = (await JoinAsync(host, token)).StatusCode == StatusCode.OK;
            _disk.Fault = null;
            _disk.CutPower();
            if (IdentityStart.TryLoad(Files, out _) is not { } identity)
            {
                Status again = await JoinAsync(host, token);
                Assert.True(again.StatusCode == StatusCode.OK, $"call {k}: {again}");
                identity = Load();
            }

            Assert.Equal(StatusCode.OK, await CallAsync(host, identity));
            identity.Dispose();
        }

        Assert.Empty(host.Logs.Named("JoinTokenReused"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RenewIfDue_CrashAtEveryCallOfTheDisk_LeavesAnAgentThatGoesOn(bool isPowerCut)
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        using (MemberIdentity first = Load())
        {
            Assert.Equal(StatusCode.OK, await CallAsync(host, first));
        }

        bool isDone = false;
        for (int k = 1; !isDone; k++)
        {
            Assert.InRange(k, 1, 60);
            host.Time.Advance(TimeSpan.FromHours(17));
            IdentityKeeper keeper = Keeper(host, Load());
            uint before = keeper.Current.Credential!.Generation;
            _disk.Fault = new DiskFault(DiskFaultKind.Error, _disk.Calls + k, Errno.InputOutput, int.MaxValue);
            Assert.Equal("", await RenewAsync(keeper));
            isDone = keeper.Current.Credential!.Generation > before;
            _disk.Fault = null;
            if (isPowerCut)
            {
                _disk.CutPower();
            }
            else
            {
                _disk.KillProcess();
            }

            // The next life of the agent: it connects with what it has, and renews when it is time.
            IdentityKeeper next = Keeper(host, Load());
            Assert.Equal("", await RenewAsync(next));
            StatusCode code = await CallAsync(host, next.Current);
            Assert.True(code == StatusCode.OK, $"call {k}: {code}");
            next.Dispose();
            keeper.Dispose();
        }

        Assert.Empty(host.Logs.Named("IdentityCloned"));
    }

    [Fact]
    public async Task RenewIfDue_BetweenHalfAndTwoThirdsOfTheLife_AndNotBefore()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        TimeSpan life = TimeSpan.FromHours(24);
        HashSet<DateTimeOffset> moments = [];
        for (int seed = 0; seed < 20; seed++)
        {
            using IdentityKeeper keeper = Keeper(host, Load(), seed);
            double share = (keeper.DueAt - keeper.Current.NotBefore) / (keeper.Current.NotAfter - keeper.Current.NotBefore);
            Assert.InRange(share, 0.50, 0.66);
            moments.Add(keeper.DueAt);
        }

        Assert.Equal(20, moments.Count);
        using IdentityKeeper one = Keeper(host, Load());
        host.Time.Advance(life * 0.45);
        Assert.Equal("", await RenewAsync(one));
        Assert.Equal(1u, one.Current.Credential!.Generation);
        host.Time.Advance(life * 0.25);
        byte[] key = one.Current.Certificate.PublicKey.ExportSubjectPublicKeyInfo();
        Assert.Equal("", await RenewAsync(one));
        Assert.Equal(2u, one.Current.Credential!.Generation);
        Assert.NotEqual(key, one.Current.Certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public async Task RenewIfDue_AggregatorAway_GoesOnUntilTheEndAndThenSaysWhy()
    {
        TlsFleetHost host = await TlsFleetHost.StartAsync();
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        using IdentityKeeper keeper = Keeper(host, Load());
        await host.DisposeAsync();
        host.Time.Advance(TimeSpan.FromHours(20));
        Assert.Equal("", await RenewAsync(keeper));
        host.Logs.Single("AgentRenewalFailed");
        host.Time.Advance(TimeSpan.FromHours(5));
        Assert.Contains("could not be renewed: ", await RenewAsync(keeper), StringComparison.Ordinal);
        host.Time.Advance(TimeSpan.FromDays(15));
        Assert.Contains("more than 14 days ago: enrol it anew", await RenewAsync(keeper), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RestoredSnapshot_OfAnAgentThatHadRenewed_ShutsBothOut()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        Dictionary<string, byte[]> snapshot = _disk.Paths.ToDictionary(path => path, _disk.ReadFile);
        using IdentityKeeper genuine = Keeper(host, Load());
        Assert.Equal(StatusCode.OK, await CallAsync(host, genuine.Current));
        host.Time.Advance(TimeSpan.FromHours(17));
        Assert.Equal("", await RenewAsync(genuine));
        Assert.Equal(StatusCode.OK, await CallAsync(host, genuine.Current));

        _disk.Restore(snapshot);
        using IdentityKeeper restored = Keeper(host, Load());
        Assert.Equal("", await RenewAsync(restored)); // still valid, so it would go on
        Assert.NotEqual(StatusCode.OK, await CallAsync(host, restored.Current));
        Assert.NotEqual(StatusCode.OK, await CallAsync(host, genuine.Current));
        host.Logs.Single("IdentityCloned");
    }

    [Fact]
    public async Task TryDial_RevokedHost_IsToldWhyAsFarAsItCanKnow()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync(AgentLink.Descriptor);
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        host.Registry.Revoke(FleetRole.Agent, "n1", "stolen", "admin/ann", false, out _);
        string problem = await Task.Run(() =>
        {
            using RpcLinkDialer dialer = new(host.Address, "localhost", Keeper(host, Load()), host.Time);
            using ILink? link = dialer.TryDial(default, out string refusal);
            Lock turn = new();
            lock (turn)
            {
                for (int i = 0; i < 100 && link is not null && link.Problem.Length == 0; i++)
                {
                    link.Wait(TimeSpan.FromMilliseconds(100), turn);
                }
            }

            return link?.Problem ?? refusal;
        });
        Assert.Contains("this host's certificate (agent/n1, generation 1,", problem, StringComparison.Ordinal);
        Assert.Contains("revoked or quarantined", problem, StringComparison.Ordinal);
        Assert.Contains("agent/n1 was revoked: by admin/ann", host.Logs.Named("CertificateRefused")[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TryDial_ServerOfAnotherFleet_SaysWhatIsWrongWithIt()
    {
        await using TlsFleetHost host = await TlsFleetHost.StartAsync();
        Assert.Equal(StatusCode.OK, (await JoinAsync(host, "n1")).StatusCode);
        await using TlsFleetHost other = await TlsFleetHost.StartAsync();
        string problem = await Task.Run(() =>
        {
            using RpcLinkDialer dialer = new(other.Address, "localhost", Keeper(host, Load()), host.Time);
            using ILink? link = dialer.TryDial(default, out string refusal);
            return refusal;
        });
        Assert.Contains("is not believed: CN=aggregator, O=lab: ", problem, StringComparison.Ordinal);
    }

    private MemberIdentity Load() => IdentityStart.TryLoad(Files, out string problem) ?? throw new InvalidOperationException(problem.Length > 0 ? problem : "no identity");

    private IdentityKeeper Keeper(TlsFleetHost host, MemberIdentity identity, int seed = 1) =>
        new(Files, identity, host.Address, "localhost", host.Time, new Random(seed), new IdentityLog(new Logger<IdentityLog>(host.Logs), new RepeatedEventGate(host.Logs, host.Time)));

    private static Task<string> RenewAsync(IdentityKeeper keeper) => Task.Run(() =>
    {
        using WakeHandle wake = new();
        return keeper.RenewIfDue(wake, default);
    });

    private static async Task<EnrolmentToken> TokenAsync(TlsFleetHost host, string name)
    {
        CreateTokenResponse made = await host.Admin().CreateTokenAsync(new CreateTokenRequest { Role = "agent", Name = name });
        return EnrolmentToken.TryParse(made.Token + "\n", out EnrolmentToken? token) ? token : throw new InvalidOperationException(made.Token);
    }

    private async Task<Status> JoinAsync(TlsFleetHost host, string name) => await JoinAsync(host, await TokenAsync(host, name));

    private Task<Status> JoinAsync(TlsFleetHost host, EnrolmentToken token) => Task.Run(() => new Enrolling(Files, host.Time).TryJoin(host.EnrolmentAddress, null, token, default));

    private static async Task<StatusCode> CallAsync(TlsFleetHost host, MemberIdentity identity)
    {
        try
        {
            await host.As(identity.Certificate, identity.Between).AsyncUnaryCall(TlsFleetHost.Bytes(AgentLink.Descriptor.Methods[0]), null, default, []).ResponseAsync;
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }
}
