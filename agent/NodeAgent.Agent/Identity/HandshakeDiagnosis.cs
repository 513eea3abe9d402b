using NodeAgent.Contracts.Identity;

namespace NodeAgent.Agent.Identity;

/// <summary>
/// Why a server may have ended the connection without a word: in TLS 1.3 it judges our certificate after we are done, and what it says
/// then is lost. So we judge our certificate ourselves, as it would.
/// </summary>
internal static class HandshakeDiagnosis
{
    /// <summary>One sentence for people.</summary>
    internal static string Of(MemberIdentity own, DateTimeOffset now)
    {
        if (now < own.NotBefore)
        {
            return $"this host's certificate is not valid before {own.NotBefore.UtcDateTime:u}, and its clock says {now.UtcDateTime:u}: set the clock";
        }

        bool isLate = now >= own.NotAfter;
        if (isLate && (own.Credential is null || now >= own.NotAfter + FleetAuthority.RenewalGrace))
        {
            return $"this host's certificate expired at {own.NotAfter.UtcDateTime:u}; enrol it anew, unless its clock ({now.UtcDateTime:u}) is wrong";
        }

        DateTimeOffset at = isLate ? own.NotAfter.AddSeconds(-1) : now;
        return FleetAuthority.Trusts(own.Certificate, own.Roots, own.Between, FleetAuthority.ClientUse, at, out string problem)
            ? $"this host's certificate ({own.Identity}{(own.Credential is { } credential ? $", generation {credential.Generation}" : "")}, until {own.NotAfter.UtcDateTime:u}) is in order as far as can be seen here, "
                + "so the aggregator knows it as revoked or quarantined, or has other roots: its log says CertificateRefused and why"
            : $"the roots of this host do not stand behind its own certificate: {problem}";
    }
}
