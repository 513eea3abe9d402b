using System.Security.Cryptography.X509Certificates;
using NodeAgent.Agent.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Agent.Tests.Identity;

public sealed class HandshakeDiagnosisTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly FleetPki _pki = new(Now);

    public void Dispose() => _pki.Dispose();

    [Fact]
    public void Of_ClockBehind_SaysSo() =>
        Assert.Contains("is not valid before 2026-11-21 12:00:00Z, and its clock says 2026-11-20 12:00:00Z: set the clock", Explain(_pki.Roots, Now.AddDays(-1)), StringComparison.Ordinal);

    [Fact]
    public void Of_ExpiredLongAgo_SaysWhatToDo() =>
        Assert.Contains("expired at 2026-11-22 12:00:00Z; enrol it anew", Explain(_pki.Roots, Now.AddDays(16)), StringComparison.Ordinal);

    [Fact]
    public void Of_OtherRoots_SaysSo()
    {
        using FleetPki other = new(Now);
        Assert.Contains("the roots of this host do not stand behind its own certificate", Explain(other.Roots, Now.AddHours(1)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(24 * 10)] // renewable: that is not what is wrong
    public void Of_NothingWrongHere_PointsToTheAggregator(int hours) =>
        Assert.Contains("(agent/n1, generation 3, until 2026-11-22 12:00:00Z) is in order as far as can be seen here, so the aggregator knows it as revoked or quarantined", Explain(_pki.Roots, Now.AddHours(hours)), StringComparison.Ordinal);

    private string Explain(X509Certificate2Collection roots, DateTimeOffset at)
    {
        X509Certificate2 own = _pki.Client(new FleetIdentity("lab", FleetRole.Agent, "n1"), _pki.Issuer, Now, Now.AddHours(24), new FleetCredential(Guid.NewGuid(), 3));
        using MemberIdentity identity = MemberIdentity.TryMake(own, [_pki.Issuer], roots, "/i", out _)!;
        return HandshakeDiagnosis.Of(identity, at);
    }
}
