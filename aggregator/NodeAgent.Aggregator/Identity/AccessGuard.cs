using Grpc.Core;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Rpc.Server;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Identity;

/// <summary>What every call passes: how its caller stands now, then what its role may do. A connection outlives much of what let it in.</summary>
internal sealed class AccessGuard(IdentityRegistry registry, TimeProvider time)
{
    /// <summary>The one method for certificates that have expired.</summary>
    internal static readonly string Renewal = $"/{Identities.Descriptor.FullName}/{nameof(Identities.IdentitiesClient.Renew)}";

    /// <summary>OK, or why not.</summary>
    internal Status Authorise(IMethod method, RpcIdentity? identity)
    {
        if (identity is not CallerIdentity { Certificate: { } certificate } caller)
        {
            return AccessPolicy.Authorise(method, identity);
        }

        if ((caller.IsAdmitted ? registry.DenialOf(certificate) : registry.Admit(certificate)) is { } denial)
        {
            return new Status(StatusCode.PermissionDenied, denial);
        }

        caller.IsAdmitted = true;
        return certificate.HasExpired(time) && (method.FullName != Renewal || !certificate.IsRenewable(time))
            ? new Status(StatusCode.Unauthenticated, $"the certificate of {caller} expired at {certificate.NotAfter.UtcDateTime:u}; until 14 days after that it can be renewed, and nothing else")
            : AccessPolicy.Authorise(method, identity);
    }
}
