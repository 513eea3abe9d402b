using System.Security.Cryptography.X509Certificates;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// What it would mean to go from one trust to another. A root is changed in steps (docs/runbooks/identity.md): believe both, issue from the
/// new one, show a server certificate of the new one, forget the old one; between the steps members renew. This finds who is not there yet.
/// </summary>
internal sealed class TrustChange
{
    private TrustChange(IReadOnlyList<string> changes, string problem, IReadOnlyList<MemberEntry> cutOff) => (Changes, Problem, CutOff) = (changes, problem, cutOff);

    /// <summary>For people; empty: nothing changes.</summary>
    internal IReadOnlyList<string> Changes { get; }

    /// <summary>Why it cannot be at all; empty: it can.</summary>
    internal string Problem { get; }

    /// <summary>Active members that would not get in, or not believe the aggregator.</summary>
    internal IReadOnlyList<MemberEntry> CutOff { get; }

    internal static TrustChange Between(FleetTrust before, FleetTrust after, IEnumerable<MemberEntry> members, DateTimeOffset now)
    {
        string problem = before.Fleet != after.Fleet ? $"the files are of fleet '{after.Fleet}', and this is '{before.Fleet}'"
            : before.Issuer is not null && after.Issuer is null ? "there is no issuing CA any more"
            : !FleetAuthority.Trusts(after.Server, after.Roots, after.Between, FleetAuthority.ServerUse, now, out string untrusted) ? $"the roots do not stand behind the aggregator's own certificate ({untrusted})"
            : "";
        return new TrustChange([.. Describe(before, after)], problem, problem.Length > 0 ? [] : FindCutOff(before, after, members, now));
    }

    private static IEnumerable<string> Describe(FleetTrust before, FleetTrust after)
    {
        foreach (X509Certificate2 root in after.Roots.Where(root => !Has(before.Roots, root)))
        {
            yield return $"believes the root {Name(root)} too";
        }

        foreach (X509Certificate2 root in before.Roots.Where(root => !Has(after.Roots, root)))
        {
            yield return $"believes the root {Name(root)} no more";
        }

        if (after.Issuer is { } issuer && before.Issuer?.Authority.Thumbprint != issuer.Authority.Thumbprint)
        {
            yield return $"issues from {Name(issuer.Authority)}, signed by {issuer.Authority.Issuer}";
        }

        if (before.Server.Thumbprint != after.Server.Thumbprint)
        {
            yield return $"shows {Name(after.Server)}, signed by {after.Server.Issuer}";
        }
    }

    private static MemberEntry[] FindCutOff(FleetTrust before, FleetTrust after, IEnumerable<MemberEntry> members, DateTimeOffset now)
    {
        MemberEntry[] active = [.. members.Where(member => member.Fate == MemberFate.Active)];
        if (before.Issuer is { } former && !FleetAuthority.Trusts(former.Authority, after.Roots, after.Between, FleetAuthority.ClientUse, now, out _))
        {
            return active; // what they hold was signed by it
        }

        bool isRemoved = before.Roots.Any(root => !Has(after.Roots, root));
        bool isServedByAnother = !RootsOf(before.Server, before, now).SetEquals(RootsOf(after.Server, after, now));
        if (!isRemoved && !isServedByAnother)
        {
            return [];
        }

        List<byte[]> enough = [after.Bundle];
        if (FleetAuthority.Trusts(after.Server, before.Roots, after.Between, FleetAuthority.ServerUse, now, out _))
        {
            enough.Add(before.Bundle);
        }

        return [.. active.Where(member => !enough.Any(bundle => bundle.AsSpan().SequenceEqual(member.Bundle)))];
    }

    // Pins of the roots that stand behind a server's certificate; one, but for a root that was signed twice.
    private static HashSet<string> RootsOf(X509Certificate2 server, FleetTrust trust, DateTimeOffset now) =>
        [.. trust.Roots.Where(root => FleetAuthority.Trusts(server, [root], trust.Between, FleetAuthority.ServerUse, now, out _)).Select(root => Convert.ToHexString(FleetAuthority.Pin(root)))];

    private static bool Has(X509Certificate2Collection roots, X509Certificate2 root) => roots.Any(one => one.RawDataMemory.Span.SequenceEqual(root.RawDataMemory.Span));

    private static string Name(X509Certificate2 certificate) => $"{certificate.Subject} (until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd})";
}
