using System.Buffers;

namespace Grpc.Core;

/// <summary>The bytes of one received message. Valid only until the deserializer returns.</summary>
public abstract class DeserializationContext
{
    /// <summary>Bytes in the message, after decompression.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>A copy that the caller owns.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotImplementedException();

    /// <summary>The message where it lies: no copy, and not to be kept.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotImplementedException();
}
