using Grpc.Core;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Aggregator.Identity;

/// <summary>Who calls, as the transport proved it. One object a connection.</summary>
/// <param name="identity">Name and role.</param>
/// <param name="certificate">What proved it; null: nothing did (the plaintext address).</param>
internal sealed class CallerIdentity(FleetIdentity identity, PeerCertificate? certificate = null) : RpcIdentity(identity.Name)
{
    private volatile bool _isAdmitted;

    internal FleetIdentity Identity { get; } = identity;

    internal FleetRole Role => Identity.Role;

    internal PeerCertificate? Certificate { get; } = certificate;

    /// <summary>
    /// Its generation was judged once, at the connection's first call: when its holder renews, what is under way with the old certificate
    /// is no clone.
    /// </summary>
    internal bool IsAdmitted
    {
        get => _isAdmitted;
        set => _isAdmitted = value;
    }

    public override string ToString() => Identity.ToString();

    /// <summary>The caller of an authorised call.</summary>
    internal static CallerIdentity Of(ServerCallContext context) =>
        context.GetIdentity() as CallerIdentity
        ?? throw new InvalidOperationException($"BUG: {context.Method} was let through without an identity");
}
