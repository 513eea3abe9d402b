using System.Buffers.Binary;

namespace NodeAgent.EndToEnd.Tests.Faults.Truth;

/// <summary>
/// Finds the gRPC messages in one direction of an HTTP/2 connection that somebody else holds: frame headers (RFC 9113, section 4.1), DATA
/// payloads per stream, the five bytes before each message. Written here and not taken from the product, so that the witness does not share
/// the product's mistakes. Headers are not looked at: an agent's connection carries AgentLink.Connect and nothing else.
/// </summary>
internal sealed class Http2MessageReader(bool fromClient, Action<int, byte[]> onMessage)
{
    private const int PrefaceBytes = 24; // "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    private const int FrameHeaderBytes = 9;
    private const int MessageHeaderBytes = 5;
    private const byte Data = 0x0;
    private const byte RstStream = 0x3;
    private const byte EndStream = 0x1;
    private const byte Padded = 0x8;

    private readonly Dictionary<int, List<byte>> _streams = [];
    private readonly List<byte> _pending = [];
    private int _toSkip = fromClient ? PrefaceBytes : 0;

    /// <summary>Takes the next bytes of the direction, in any portions.</summary>
    internal void Feed(ReadOnlySpan<byte> bytes)
    {
        int skipped = Math.Min(_toSkip, bytes.Length);
        _toSkip -= skipped;
        _pending.AddRange(bytes[skipped..]);
        int used = 0;
        while (TryTakeFrame(ref used))
        {
            continue;
        }

        _pending.RemoveRange(0, used);
    }

    private bool TryTakeFrame(ref int used)
    {
        ReadOnlySpan<byte> rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending)[used..];
        if (rest.Length < FrameHeaderBytes)
        {
            return false;
        }

        int length = (rest[0] << 16) | (rest[1] << 8) | rest[2];
        if (rest.Length < FrameHeaderBytes + length)
        {
            return false;
        }

        byte type = rest[3];
        byte flags = rest[4];
        int stream = BinaryPrimitives.ReadInt32BigEndian(rest[5..]) & int.MaxValue;
        ReadOnlySpan<byte> payload = rest.Slice(FrameHeaderBytes, length);
        used += FrameHeaderBytes + length;
        if (type == Data)
        {
            payload = (flags & Padded) != 0 ? payload[1..^payload[0]] : payload;
            TakeData(stream, payload);
        }

        if (type == RstStream || (type == Data && (flags & EndStream) != 0))
        {
            _streams.Remove(stream);
        }

        return true;
    }

    private void TakeData(int stream, ReadOnlySpan<byte> payload)
    {
        if (!_streams.TryGetValue(stream, out List<byte>? buffer))
        {
            _streams[stream] = buffer = [];
        }

        buffer.AddRange(payload);
        int used = 0;
        while (buffer.Count - used >= MessageHeaderBytes)
        {
            ReadOnlySpan<byte> rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(buffer)[used..];
            if (rest[0] != 0)
            {
                throw new InvalidDataException($"stream {stream}: a compressed message, which no agent sends");
            }

            int length = BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
            if (rest.Length < MessageHeaderBytes + length)
            {
                break;
            }

            used += MessageHeaderBytes + length;
            onMessage(stream, rest.Slice(MessageHeaderBytes, length).ToArray());
        }

        buffer.RemoveRange(0, used);
    }
}
