using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace NodeAgent.Commands.Local;

/// <summary>A message behind its length: what goes over the actuator's socket, in both directions (actuator.proto).</summary>
public static class LocalFrame
{
    public const int MaxRequestBytes = 64 * 1024;

    public const int MaxResponseBytes = 1 << 20;

    /// <summary>Reads one message. False: the other side ended the connection, in between two messages or within one.</summary>
    /// <exception cref="InvalidDataException">Longer than it may be, or no such message: the connection is worth nothing from here on.</exception>
    /// <exception cref="IOException">The connection broke, or its time is over.</exception>
    public static bool TryRead<T>(Stream from, MessageParser<T> parser, int atMost, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        if (from.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length) return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length < 0 || length > atMost) throw new InvalidDataException($"a message of {(uint)length} bytes; at most {atMost} are taken");
        byte[] bytes = new byte[length];
        if (from.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length) return false;
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"{length} bytes that are no {typeof(T).Name}: {e.Message}", e);
        }
    }

    /// <summary>Writes one message.</summary>
    public static void Write(Stream into, IMessage message)
    {
        int length = message.CalculateSize();
        byte[] bytes = new byte[sizeof(int) + length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        message.WriteTo(bytes.AsSpan(sizeof(int)));
        into.Write(bytes);
    }
}
