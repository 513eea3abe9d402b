using Grpc.Core;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;

namespace NodeAgent.Aggregator.Identity;

/// <summary>Who calls, as the transport proved it.</summary>
internal sealed class CallerIdentity(FleetIdentity identity) : RpcIdentity(identity.Name)
{
    internal FleetIdentity Identity { get; } = identity;

    internal FleetRole Role => Identity.Role;

    public override string ToString() => Identity.ToString();

    /// <summary>The caller of an authorised call.</summary>
    internal static CallerIdentity Of(ServerCallContext context) =>
        context.GetIdentity() as CallerIdentity
        ?? throw new InvalidOperationException($"BUG: {context.Method} was let through without an identity");
}
