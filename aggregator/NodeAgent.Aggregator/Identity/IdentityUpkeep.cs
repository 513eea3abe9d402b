using NodeAgent.Aggregator.Identity.Registry;

namespace NodeAgent.Aggregator.Identity;

/// <summary>What has to be done about identities now and then. Who is shut out is ended at once, by the change itself, and not from here.</summary>
internal sealed class IdentityUpkeep(IdentityRegistry registry, LiveConnections connections, FleetTrustHolder? trust, TimeProvider time, IdentityLog log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // Two weeks for a person to find the machine on which the root is.
    private static readonly TimeSpan IssuerWarning = TimeSpan.FromDays(14);

    private long _turnedAt;

    /// <summary>As often as one likes.</summary>
    internal void Turn()
    {
        if (time.GetElapsedTime(_turnedAt) < Interval)
        {
            return;
        }

        _turnedAt = time.GetTimestamp();
        registry.Maintain();
        connections.Sweep();
        if (trust?.Current.Issuer is { } issuer && new DateTimeOffset(issuer.Authority.NotAfter) is var end && end - time.GetUtcNow() < IssuerWarning)
        {
            log.IssuerEnds(issuer.Authority.Subject, end);
        }
    }
}
