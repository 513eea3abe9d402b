namespace NodeAgent.Rpc.Server;

/// <summary>
/// What new connections may cost. Only connections are admitted here; calls on one that is up, a health probe's too, are never refused by
/// it.
/// The defaults let 10,000 agents come back at once on two cores: they are through in tens of seconds, and the streams that are up go on.
/// </summary>
public sealed class RpcAdmissionOptions
{
    /// <summary>
    /// TLS handshakes that compute at the same time; others wait their turn. Default: twice the processors, so that a handshake which waits
    /// for the pool is followed at once by the next.
    /// </summary>
    public int MaxComputingHandshakes { get; init; } = 2 * Environment.ProcessorCount;

    /// <summary>
    /// Connections whose TLS handshake has begun and not ended, waiting ones included; more are closed at once, for the price of an accept.
    /// 1,024: about 50 MiB of TLS state, and about a second of work for two cores; clients come back with jitter.
    /// </summary>
    public int MaxPendingHandshakes { get; init; } = 1024;

    /// <summary>From the accepted connection to the end of its TLS handshake; longer ones are closed.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// New connections a second that one address (an IPv6 network of 64 bits) may open, with a second's worth at once; more are closed at
    /// once. Loopback is not limited. 20: an agent needs one, a person's tool a few; raise it, or set 0 for no limit, where many agents come
    /// through one address.
    /// </summary>
    public int MaxConnectionsPerSecondAndAddress { get; init; } = 20;

    /// <summary>Addresses whose rate is remembered; 16,384 are about 3 MiB.</summary>
    internal const int MostAddresses = 16 * 1024;
}
