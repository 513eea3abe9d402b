namespace Grpc.Core;

/// <summary>Which call metadata is wanted for.</summary>
/// <param name="serviceUrl">Scheme, authority and service, such as <c>https://host/grpc.health.v1.Health</c>.</param>
/// <param name="methodName">The bare name of the method.</param>
/// <param name="cancellationToken">Cancelled with the call.</param>
public class AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken)
{
    /// <summary>Scheme, authority and service.</summary>
    public string ServiceUrl { get; } = serviceUrl;

    /// <summary>The bare name of the method.</summary>
    public string MethodName { get; } = methodName;

    /// <summary>Cancelled with the call.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

/// <summary>Adds metadata to a call before it leaves. An exception fails the call.</summary>
public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>Proof of identity for one call, in its metadata.</summary>
public abstract class CallCredentials
{
    /// <summary>Credentials that a function adds.</summary>
    public static CallCredentials FromInterceptor(AsyncAuthInterceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(interceptor);
        return new InterceptorCredentials(interceptor);
    }

    /// <summary>Several at once, applied in order.</summary>
    public static CallCredentials Compose(params CallCredentials[] credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        return FromInterceptor(async (context, metadata) =>
        {
            foreach (CallCredentials part in credentials)
            {
                await part.ApplyAsync(context, metadata).ConfigureAwait(false);
            }
        });
    }

    internal abstract Task ApplyAsync(AuthInterceptorContext context, Metadata metadata);

    private sealed class InterceptorCredentials(AsyncAuthInterceptor interceptor) : CallCredentials
    {
        internal override Task ApplyAsync(AuthInterceptorContext context, Metadata metadata) => interceptor(context, metadata);
    }
}
