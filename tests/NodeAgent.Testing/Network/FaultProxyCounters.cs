namespace NodeAgent.Testing.Network;

/// <summary>What a <see cref="FaultProxy"/> has done, for a test to know that its fault really happened.</summary>
public sealed class FaultProxyCounters
{
    private long _accepted;
    private long _unreachable;
    private long _resets;
    private long _finishes;
    private long _flippedBytes;
    private long _swallowedBytes;
    private long _idleCuts;
    private long _bytesToServer;
    private long _bytesToClient;

    /// <summary>Connections taken from clients.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Connections closed because the server could not be reached.</summary>
    public long Unreachable => Interlocked.Read(ref _unreachable);

    /// <summary>Connections ended with RST on purpose.</summary>
    public long Resets => Interlocked.Read(ref _resets);

    /// <summary>Directions ended with FIN on purpose.</summary>
    public long Finishes => Interlocked.Read(ref _finishes);

    public long FlippedBytes => Interlocked.Read(ref _flippedBytes);

    public long SwallowedBytes => Interlocked.Read(ref _swallowedBytes);

    /// <summary>Connections cut because nothing moved.</summary>
    public long IdleCuts => Interlocked.Read(ref _idleCuts);

    public long BytesToServer => Interlocked.Read(ref _bytesToServer);

    public long BytesToClient => Interlocked.Read(ref _bytesToClient);

    internal void AddAccepted() => Interlocked.Increment(ref _accepted);

    internal void AddUnreachable() => Interlocked.Increment(ref _unreachable);

    internal void AddReset() => Interlocked.Increment(ref _resets);

    internal void AddFinish() => Interlocked.Increment(ref _finishes);

    internal void AddFlipped(int bytes) => Interlocked.Add(ref _flippedBytes, bytes);

    internal void AddSwallowed(int bytes) => Interlocked.Add(ref _swallowedBytes, bytes);

    internal void AddIdleCut() => Interlocked.Increment(ref _idleCuts);

    internal void AddPassed(bool toServer, int bytes) => Interlocked.Add(ref toServer ? ref _bytesToServer : ref _bytesToClient, bytes);
}
