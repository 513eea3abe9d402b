using Grpc.Core;

namespace NodeAgent.Rpc.Server;

/// <summary>Who calls. Derive from it to carry more, such as roles or a node.</summary>
/// <param name="name">A stable name, such as the one in the client's certificate. Never empty.</param>
public class RpcIdentity(string name)
{
    /// <summary>A stable name.</summary>
    public string Name { get; } = string.IsNullOrEmpty(name) ? throw new ArgumentException("An identity has a name.", nameof(name)) : name;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Reads what the server's hooks found out about a call.</summary>
public static class RpcIdentityExtensions
{
    private static readonly object Key = new();

    /// <summary>Who calls, as <see cref="RpcServerOptions.Identify"/> said; null when nobody could be made out.</summary>
    public static RpcIdentity? GetIdentity(this ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.UserState.TryGetValue(Key, out object? identity) ? (RpcIdentity)identity : null;
    }

    /// <summary>Stores an identity; the server does it, and a test may.</summary>
    public static void SetIdentity(this ServerCallContext context, RpcIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(identity);
        context.UserState[Key] = identity;
    }
}
