using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Tests.Identity.Registry;

public sealed class RenewalTests : IDisposable
{
    private readonly RegistryWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Renew_ManyTimes_CountsGenerationsAndKeepsTheUuid()
    {
        PeerCertificate peer = _world.Enrol();
        for (uint generation = 2; generation <= 5; generation++)
        {
            _world.Time.Advance(TimeSpan.FromHours(13));
            PeerCertificate next = _world.Renew(peer);
            Assert.Equal((generation, peer.Credential!.Uuid), (next.Credential!.Generation, next.Credential.Uuid));
            Assert.Null(_world.Registry.Admit(next));
            _world.CutPower(); // a generation that was seen and not written down is seen again
            Assert.Null(_world.Registry.Admit(next));
            peer = next;
        }
    }

    [Fact]
    public void Renew_WithThePresentKey_IsRefused()
    {
        byte[] key = RegistryWorld.NewKey();
        PeerCertificate peer = RegistryWorld.Peer(_world.Join(_world.Token(), key).Certificate!);
        Assert.Null(_world.Registry.Admit(peer));
        Assert.Contains("each renewal takes a new one", _world.Registry.Renew(peer, key, _world.Issuer, _world.Bundle, null).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Renew_AnswerLostAndSameKeyAgain_GivesTheSameCertificate()
    {
        PeerCertificate peer = _world.Enrol();
        byte[] key = RegistryWorld.NewKey();
        PeerCertificate first = _world.Renew(peer, key);
        _world.CutPower();
        Assert.Null(_world.Registry.Admit(peer)); // the old one still works
        Assert.Equal(first.Serial, _world.Renew(peer, key).Serial);
        Assert.Null(_world.Registry.Admit(first));
    }

    [Fact]
    public void Renew_AnswerLostAndKeyToo_GivesAnotherAndTheLostOneIsAnAlarm()
    {
        PeerCertificate peer = _world.Enrol();
        PeerCertificate lost = _world.Renew(peer);
        PeerCertificate held = _world.Renew(peer);
        Assert.Equal(lost.Credential, held.Credential);
        Assert.Null(_world.Registry.Admit(held));

        Assert.Contains("quarantined", _world.Registry.Admit(lost), StringComparison.Ordinal);
        Assert.Contains("quarantined", _world.Registry.DenialOf(held), StringComparison.Ordinal);
    }

    [Fact]
    public void Admit_StaleGeneration_QuarantinesBothAndSaysSo()
    {
        PeerCertificate stale = _world.Enrol();
        PeerCertificate genuine = _world.Renew(stale);
        Assert.Null(_world.Registry.Admit(genuine));
        int swept = 0;
        _world.Registry.Excluded = () => ++swept;

        string? refused = _world.Registry.Admit(stale); // a disk image, a snapshot that was put back, a stolen key
        Assert.Contains("two hosts have this identity", refused, StringComparison.Ordinal);
        Assert.NotNull(_world.Registry.Admit(genuine));
        Assert.Equal(1, swept);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Error, _world.Logs.Single("IdentityCloned").Level);

        _world.Registry.Journal.Commit();
        _world.CutPower();
        Assert.NotNull(_world.Registry.DenialOf(genuine));
    }

    [Fact]
    public void Admit_CloneRenewedFirstAndTheGenuineOneComesLater_QuarantinesBoth()
    {
        PeerCertificate shared = _world.Enrol();
        PeerCertificate ofTheClone = _world.Renew(shared);
        Assert.Null(_world.Registry.Admit(ofTheClone)); // nobody can know yet
        Assert.NotNull(_world.Registry.Admit(shared)); // the genuine host, at its next connection
        Assert.NotNull(_world.Registry.Admit(ofTheClone));
    }

    [Fact]
    public void Admit_BothRenewFromTheSameGeneration_QuarantinesBoth()
    {
        PeerCertificate shared = _world.Enrol();
        PeerCertificate one = _world.Renew(shared);
        PeerCertificate other = _world.Renew(shared);
        Assert.Null(_world.Registry.Admit(other));
        Assert.NotNull(_world.Registry.Admit(one));
        Assert.NotNull(_world.Registry.Admit(other));
    }

    [Fact]
    public void Admit_AfterTheAggregatorWasRestored_TakesNewerGenerationsAndSaysSo()
    {
        PeerCertificate peer = _world.Enrol();
        _world.Registry.Journal.Commit();
        IReadOnlyDictionary<string, byte[]> backup = _world.Backup();
        for (int i = 0; i < 3; i++)
        {
            peer = _world.Renew(peer);
            Assert.Null(_world.Registry.Admit(peer));
        }

        _world.Restore(backup);
        Assert.Null(_world.Registry.Admit(peer));
        _world.Logs.Single("IdentityRegistryBehind");
        Assert.Null(_world.Registry.Admit(_world.Renew(peer)));
    }

    [Fact]
    public void Renew_AfterItsIdentityWasRevoked_IsRefused()
    {
        PeerCertificate peer = _world.Enrol();
        Assert.NotNull(_world.Registry.Revoke(FleetRole.Agent, "n1", "stolen", "admin/ann", false, out _));
        Assert.Contains("revoked: by admin/ann", _world.Registry.Admit(peer), StringComparison.Ordinal);
        Assert.NotEmpty(_world.Registry.Renew(peer, RegistryWorld.NewKey(), _world.Issuer, _world.Bundle, null).Refusal);
    }
}
