namespace NodeAgent.Rpc.Server;

/// <summary>What became of new connections, counted since the start, and how many are there now. For the program to publish.</summary>
public sealed class RpcAdmission
{
    private readonly Func<int> _waiting;
    private long _accepted;
    private long _refusedRate;
    private long _refusedFull;
    private long _handshakes;
    private long _queued;
    private long _timedOut;
    private long _failed;
    private long _flooding;
    private int _pending;
    private int _open;

    internal RpcAdmission(Func<int> waiting) => _waiting = waiting;

    /// <summary>Connections whose address might open them. With TLS, their handshake comes next.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Connections closed because their address opened too many.</summary>
    public long RefusedRate => Interlocked.Read(ref _refusedRate);

    /// <summary>Connections closed because too many handshakes were pending.</summary>
    public long RefusedFull => Interlocked.Read(ref _refusedFull);

    /// <summary>Handshakes that succeeded.</summary>
    public long Handshakes => Interlocked.Read(ref _handshakes);

    /// <summary>Steps of handshakes that had to wait for others.</summary>
    public long Queued => Interlocked.Read(ref _queued);

    /// <summary>Handshakes that were not done in time.</summary>
    public long TimedOut => Interlocked.Read(ref _timedOut);

    /// <summary>Handshakes that ended otherwise: no TLS, no common version, a certificate that is not believed, a peer that left.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Connections ended because their client sent thousands of frames a second that carry nothing.</summary>
    public long EndedFlooding => Interlocked.Read(ref _flooding);

    /// <summary>Handshakes that have begun and not ended.</summary>
    public int PendingHandshakes => Volatile.Read(ref _pending);

    /// <summary>Of those, the ones with work to do whose turn has not come.</summary>
    public int WaitingHandshakes => _waiting();

    /// <summary>Connections that are open, pending handshakes included.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    internal void CountRefusedRate() => Interlocked.Increment(ref _refusedRate);

    internal void CountFlooding() => Interlocked.Increment(ref _flooding);

    internal void CountQueued() => Interlocked.Increment(ref _queued);

    internal void CountAccepted()
    {
        Interlocked.Increment(ref _accepted);
        Interlocked.Increment(ref _open);
    }

    internal void CountClosed() => Interlocked.Decrement(ref _open);

    /// <summary>False: there are as many as there may be, and this one was counted as refused.</summary>
    internal bool TryBeginHandshake(int most)
    {
        if (Interlocked.Increment(ref _pending) <= most)
        {
            return true;
        }

        Interlocked.Decrement(ref _pending);
        Interlocked.Increment(ref _refusedFull);
        return false;
    }

    internal void EndHandshake(bool succeeded, bool inTime)
    {
        Interlocked.Decrement(ref _pending);
        Interlocked.Increment(ref succeeded ? ref _handshakes : ref inTime ? ref _failed : ref _timedOut);
    }
}
