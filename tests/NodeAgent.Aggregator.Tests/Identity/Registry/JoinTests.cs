using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Aggregator.Tests.Identity.Registry;

public sealed class JoinTests : IDisposable
{
    private readonly RegistryWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Join_WithAToken_GivesTheNameOfTheToken()
    {
        byte[] key = RegistryWorld.NewKey();
        PeerCertificate peer = RegistryWorld.Peer(_world.Join(_world.Token("gpu-17"), key).Certificate!);
        Assert.Equal(new FleetIdentity("lab", FleetRole.Agent, "gpu-17"), peer.Identity);
        Assert.Equal(1u, peer.Credential!.Generation);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(key), peer.KeyHash);
        Assert.InRange(peer.NotAfter - _world.Time.GetUtcNow(), RegistryWorld.Life - TimeSpan.FromSeconds(1), RegistryWorld.Life);
        Assert.Null(_world.Registry.Admit(peer));
        _world.Logs.Single("IdentityEnrolled");
    }

    [Fact]
    public void Join_TokenUsedWithAnotherKey_IsRefusedAndAnAlarm()
    {
        EnrolmentToken token = _world.Token();
        Assert.NotNull(_world.Join(token, RegistryWorld.NewKey()).Certificate);
        IssueOutcome second = _world.Join(token, RegistryWorld.NewKey());
        Assert.Null(second.Certificate);
        Assert.StartsWith("the token was used at", second.Refusal, StringComparison.Ordinal);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Error, _world.Logs.Single("JoinTokenReused").Level);
    }

    [Fact]
    public void Join_SameKeyAgainBeforeItsFirstUse_GivesTheSameCertificate()
    {
        EnrolmentToken token = _world.Token();
        byte[] key = RegistryWorld.NewKey();
        byte[] first = _world.Join(token, key).Certificate!;
        _world.CutPower();
        Assert.Equal(first, _world.Join(token, key).Certificate); // the answer was lost

        Assert.Null(_world.Registry.Admit(RegistryWorld.Peer(first)));
        Assert.Null(_world.Join(token, key).Certificate); // and now it was not
        Assert.Empty(_world.Logs.Named("JoinTokenReused"));
    }

    [Fact]
    public void Join_ManyAtOnceWithOneToken_OneGetsIn()
    {
        EnrolmentToken token = _world.Token();
        byte[][] keys = [.. Enumerable.Range(0, 16).Select(_ => RegistryWorld.NewKey())];
        IssueOutcome[] outcomes = new IssueOutcome[keys.Length];
        using Barrier start = new(keys.Length);
        Thread[] threads = [.. keys.Select((key, i) => new Thread(() =>
        {
            start.SignalAndWait();
            outcomes[i] = _world.Join(token, key);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Single(outcomes, outcome => outcome.Certificate is not null);
    }

    [Fact]
    public void Join_WrongSecretUnknownRevokedOrExpired_IsRefusedWithItsReason()
    {
        EnrolmentToken good = _world.Token();
        string[] parts = good.Reveal().Split('.');
        string[] other = _world.Token("n2").Reveal().Split('.');
        Assert.True(EnrolmentToken.TryParse($"na1.{parts[1]}.{other[2]}.{parts[3]}", out EnrolmentToken? wrong));
        Assert.Equal("the secret is wrong", _world.Join(wrong, RegistryWorld.NewKey()).Refusal);
        Assert.Equal("no token has this id", _world.Join(EnrolmentToken.Create(new byte[32]), RegistryWorld.NewKey()).Refusal);

        EnrolmentToken revoked = _world.Token("n3");
        Assert.True(_world.Registry.RevokeToken(revoked.Id, "admin/ben"));
        Assert.Equal("the token was revoked by admin/ben", _world.Join(revoked, RegistryWorld.NewKey()).Refusal);

        _world.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.StartsWith("the token expired at", _world.Join(good, RegistryWorld.NewKey()).Refusal, StringComparison.Ordinal);
        Assert.False(_world.Registry.RevokeToken("0000000000000000", "admin/ben"));
    }

    [Fact]
    public void Join_AfterARestart_TheTokenIsStillUsedUp()
    {
        EnrolmentToken token = _world.Token();
        PeerCertificate peer = RegistryWorld.Peer(_world.Join(token, RegistryWorld.NewKey()).Certificate!);
        _world.CutPower();
        Assert.Null(_world.Join(token, RegistryWorld.NewKey()).Certificate);
        Assert.Null(_world.Registry.Admit(peer));
    }

    [Fact]
    public void Join_OfANameThatIsEnrolled_ReplacesItsHolder()
    {
        PeerCertificate former = _world.Enrol();
        int swept = 0;
        _world.Registry.Excluded = () => ++swept;
        PeerCertificate present = _world.Enrol();
        Assert.NotEqual(former.Credential!.Uuid, present.Credential!.Uuid);
        Assert.Contains("enrolled anew", _world.Registry.DenialOf(former), StringComparison.Ordinal);
        Assert.Null(_world.Registry.DenialOf(present));
        Assert.Equal(1, swept);
    }

    [Fact]
    public void Join_DiskFailsAtEachCall_NobodyIsToldOfWhatIsNotWrittenDown()
    {
        for (int k = 1; k < 40; k++)
        {
            using RegistryWorld world = new();
            EnrolmentToken token = world.Token();
            byte[] key = RegistryWorld.NewKey();
            world.Disk.Fault = new DiskFault(DiskFaultKind.Error, world.Disk.Calls + k, Errno.InputOutput, int.MaxValue);
            byte[]? told = null;
            try
            {
                told = world.Join(token, key).Certificate;
            }
            catch (IdentityJournalException)
            {
                Assert.Null(told);
            }

            world.Disk.Fault = null;
            world.CutPower();
            bool isThere = world.Registry.Members.Any();
            Assert.True(isThere || told is null, $"call {k}");
            byte[]? again = world.Join(token, key).Certificate;
            Assert.NotNull(again);
            Assert.True(told is null || told.AsSpan().SequenceEqual(again));
            if (told is not null)
            {
                return; // the fault came after the commit
            }
        }

        Assert.Fail("no commit within 40 calls");
    }
}
