namespace Grpc.Core;

/// <summary>A way to one server, shared by all its clients.</summary>
public abstract class ChannelBase
{
    /// <summary>Names the server.</summary>
    protected ChannelBase(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>The server, as it was named.</summary>
    public string Target { get; }

    /// <summary>What makes calls on this channel.</summary>
    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Ends all calls with CANCELLED and closes the connections. Further calls fail.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    /// <summary>The closing itself.</summary>
    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
