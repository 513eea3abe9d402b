namespace NodeAgent.Testing.Network;

/// <summary>What one direction through a <see cref="FaultProxy"/> suffers. Immutable: a test swaps the whole while bytes flow.</summary>
public sealed record LinkFaults
{
    /// <summary>A clean link.</summary>
    public static readonly LinkFaults None = new();

    /// <summary>Every byte arrives this much later; throughput is kept up to <see cref="FaultyPipe.QueuedChunks"/> chunks on the way.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Up to this much is added to <see cref="Delay"/>, evenly spread. The order of bytes stays, as TCP keeps it.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>0: unlimited.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>Bytes of one write to the receiver at most, each a segment of its own. 0: as they came.</summary>
    public int SliceBytes { get; init; }

    /// <summary>Nothing moves; bytes are kept until it is lifted, and the senders' windows fill.</summary>
    public bool IsStalled { get; init; }

    /// <summary>Bytes vanish: they are taken from the sender and never arrive. Only a peer that watches the time can notice.</summary>
    public bool IsSwallowed { get; init; }

    /// <summary>Once this many bytes of a connection have passed in this direction, both sides get RST. 0: never.</summary>
    public long ResetAfterBytes { get; init; }

    /// <summary>Once this many bytes of a connection have passed in this direction, it ends with FIN; the other direction goes on. 0: never.</summary>
    public long FinishAfterBytes { get; init; }

    /// <summary>One byte in so many, on average, has one bit turned. 0: none.</summary>
    public int FlipOneIn { get; init; }
}
