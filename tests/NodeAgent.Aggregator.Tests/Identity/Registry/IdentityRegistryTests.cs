using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Tests.Identity.Registry;

public sealed class IdentityRegistryTests : IDisposable
{
    private readonly RegistryWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void DenialOf_HandMadeCertificate_OnlyWhereTheNameIsNotEnrolledOrRevoked()
    {
        PeerCertificate byHand = new(new FleetIdentity("lab", FleetRole.Agent, "n1"), null, "01", DateTimeOffset.MaxValue, []);
        Assert.Null(_world.Registry.DenialOf(byHand));
        _world.Enrol("n1");
        Assert.Contains("made by hand", _world.Registry.DenialOf(byHand), StringComparison.Ordinal);

        PeerCertificate person = byHand with { Identity = new FleetIdentity("lab", FleetRole.Operator, "bob") };
        Assert.Null(_world.Registry.Revoke(FleetRole.Operator, "bob", "", "admin/ann", isUnknownFine: false, out _));
        Assert.NotNull(_world.Registry.Revoke(FleetRole.Operator, "bob", "left", "admin/ann", isUnknownFine: true, out _));
        _world.CutPower();
        Assert.Contains("operator/bob was revoked", _world.Registry.DenialOf(person), StringComparison.Ordinal);
        Assert.Null(_world.Registry.DenialOf(person with { Identity = new FleetIdentity("lab", FleetRole.Viewer, "bob") }));
    }

    [Fact]
    public void DenialOf_UuidUnderAnotherNameOrUnknown_IsDenied()
    {
        PeerCertificate peer = _world.Enrol();
        Assert.Contains("is agent/n1", _world.Registry.DenialOf(peer with { Identity = new FleetIdentity("lab", FleetRole.Agent, "n2") }), StringComparison.Ordinal);
        Assert.Contains("is agent/n1", _world.Registry.DenialOf(peer with { Identity = new FleetIdentity("lab", FleetRole.Admin, "n1") }), StringComparison.Ordinal);
        Assert.Contains("no enrolment", _world.Registry.DenialOf(peer with { Credential = new FleetCredential(Guid.NewGuid(), 1) }), StringComparison.Ordinal);
    }

    [Fact]
    public void Revoke_ThenEnrolTheNameAgain_InheritsNothing()
    {
        PeerCertificate former = _world.Enrol();
        _world.Registry.Revoke(FleetRole.Agent, "n1", "stolen", "admin/ann", false, out _);
        PeerCertificate present = _world.Enrol();
        _world.CutPower();
        Assert.NotNull(_world.Registry.Admit(former));
        Assert.Null(_world.Registry.Admit(present));
        Assert.Equal(2, _world.Registry.Members.Count());
    }

    [Fact]
    public void Quarantine_AndLifted_LetsTheSameCertificateInAgain()
    {
        PeerCertificate peer = _world.Enrol();
        Assert.NotNull(_world.Registry.Quarantine(FleetRole.Agent, "n1", "looks odd", "admin/ann", lift: false, out _));
        Assert.Contains("looks odd", _world.Registry.Admit(peer), StringComparison.Ordinal);
        Assert.NotNull(_world.Registry.Quarantine(FleetRole.Agent, "n1", "", "admin/ann", lift: true, out _));
        Assert.Null(_world.Registry.Admit(peer));
        Assert.Null(_world.Registry.Quarantine(FleetRole.Agent, "nobody", "", "admin/ann", lift: false, out _));
    }

    [Fact]
    public void Maintain_ManyRenewals_KeepsTheJournalSmallAndEverythingInIt()
    {
        PeerCertificate peer = _world.Enrol();
        PeerCertificate revoked = _world.Enrol("n2");
        _world.Registry.Revoke(FleetRole.Agent, "n2", "", "admin/ann", false, out _);
        for (int i = 0; i < 700; i++)
        {
            peer = _world.Renew(peer);
            Assert.Null(_world.Registry.Admit(peer));
            _world.Registry.Maintain();
        }

        Assert.InRange(_world.Registry.Journal.Status().NextId - _world.Registry.Journal.Status().FirstHeldId, 1ul, 1_200ul);
        _world.CutPower();
        Assert.Null(_world.Registry.Admit(peer));
        Assert.NotNull(_world.Registry.DenialOf(revoked));
    }

    [Fact]
    public void Maintain_AfterAMonth_ForgetsWhatCannotComeBack()
    {
        _world.Token("never-used");
        PeerCertificate revoked = _world.Enrol("n2");
        _world.Registry.Revoke(FleetRole.Agent, "n2", "", "admin/ann", false, out _);
        _world.Registry.Revoke(FleetRole.Operator, "bob", "", "admin/ann", isUnknownFine: true, out _);
        _world.Time.Advance(TimeSpan.FromDays(32));
        _world.Registry.Maintain();
        Assert.Empty(_world.Registry.Tokens);
        Assert.Empty(_world.Registry.Members);
        Assert.NotNull(_world.Registry.DenialOf(revoked)); // by being unknown
        Assert.NotNull(_world.Registry.DenialOf(revoked with { Identity = new FleetIdentity("lab", FleetRole.Operator, "bob"), Credential = null })); // those live for years
    }
}
