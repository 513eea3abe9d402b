using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a serializer puts one message: either a finished array, or a buffer writer followed by
/// <see cref="Complete()"/>.</summary>
public abstract class SerializationContext
{
    /// <summary>The whole message at once. The context copies it; the caller keeps the array.</summary>
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    /// <summary>The buffer to write the message into. It is the transport's own: no copy follows when the call does not compress.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Says how many bytes will come, before the first of them; spares growing. A different count is an error.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
        // A hint; a context that does not need it has nothing to do.
    }

    /// <summary>The message is in the buffer writer.</summary>
    public virtual void Complete() => throw new NotImplementedException();
}
