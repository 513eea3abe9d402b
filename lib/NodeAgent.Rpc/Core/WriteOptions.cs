namespace Grpc.Core;

/// <summary>How one message is written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>Out of the process before the write completes.</summary>
    None = 0,

    /// <summary>More follows at once: the transport may keep the message until the next write or the end of the stream.</summary>
    BufferHint = 0x1,

    /// <summary>Not compressed even where the call compresses.</summary>
    NoCompress = 0x2,
}

/// <summary>Options of the writes of a call.</summary>
public class WriteOptions(WriteFlags flags = default)
{
    /// <summary>Flush every message, compress as the call does.</summary>
    public static readonly WriteOptions Default = new();

    /// <summary>The flags.</summary>
    public WriteFlags Flags { get; } = flags;
}
