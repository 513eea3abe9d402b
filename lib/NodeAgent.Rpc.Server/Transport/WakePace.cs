namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// Says whether the thread that waits for all sockets may rest a moment between two looks, as network cards do before they interrupt.
/// A fleet that sends a frame a second from each of thousands of connections otherwise wakes three threads for each frame, and what a
/// woken thread finds is a cold cache. One busy connection, which waits for its answers, is never a reason to rest.
/// </summary>
internal sealed class WakePace(TimeProvider time)
{
    /// <summary>What is added to the way of a message at most, and only under a fleet's load.</summary>
    internal const int RestMs = 4;

    /// <summary>Over this time connections are counted.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMilliseconds(64);

    /// <summary>From so many different connections in a window on (750 a second) a rest finds some more of them.</summary>
    internal const int Fleet = 48;

    private long _windowAt = time.GetTimestamp();
    private int _window = 1;
    private int _connections;

    /// <summary>A fleet is sending.</summary>
    internal bool Rests { get; private set; }

    /// <summary>Something arrived on a connection.</summary>
    /// <param name="lastWindow">The connection's own; 0 in the beginning.</param>
    internal void Count(ref int lastWindow)
    {
        if (lastWindow != _window)
        {
            lastWindow = _window;
            _connections++;
        }
    }

    /// <summary>Everything that was there has been looked at.</summary>
    internal void EndLook()
    {
        long now = time.GetTimestamp();
        TimeSpan passed = time.GetElapsedTime(_windowAt, now);
        if (passed < Window)
        {
            return;
        }

        // After a silence the window is long, and what it counted is little for its length.
        Rests = _connections * Window.TotalSeconds >= Fleet * passed.TotalSeconds;
        _windowAt = now;
        _window++;
        _connections = 0;
    }
}
