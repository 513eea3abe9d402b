using System.Buffers;

namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// Reads along over what a client sends and counts the frames that cost work and carry nothing: PING, SETTINGS, RST_STREAM, PRIORITY,
/// CONTINUATION, empty DATA, unknown ones. Kestrel answers all of them for ever; one such flood would have a processor for itself.
/// Looks at the 9 bytes before each payload only (RFC 9113, 4.1). On bytes that do not start like HTTP/2 it does nothing.
/// </summary>
internal sealed class FrameGuard(TimeProvider time)
{
    /// <summary>
    /// Frames a second for as long as it likes: a client that measures its round trip all the time on loopback stays below, and serving
    /// them takes about 4 % of a processor.
    /// </summary>
    internal const int PerSecond = 5_000;

    /// <summary>And so many at once: a client may reset all its 2,000 streams and open and reset them some times more.</summary>
    internal const int AtOnce = 20_000;

    // A client that reads fast says for every few kilobytes that it did, in a frame that only adds a number.
    private const double WindowUpdatePrice = 0.1;

    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte PushPromise = 5;
    private const byte GoAway = 7;
    private const byte WindowUpdate = 8;
    private const byte EndStream = 1;
    private const int HeaderLength = 9;

    private int _prefaceLeft = Preface.Length;
    private bool _off;
    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerFilled;
    private int _payloadLeft;
    private double _left = AtOnce;
    private long _countedAt = time.GetTimestamp();

    // The first bytes that every client sends (RFC 9113, 3.4).
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Reads along over the next bytes; false once there were too many such frames.</summary>
    internal bool Pass(in ReadOnlySequence<byte> bytes)
    {
        if (_off)
        {
            return true;
        }

        foreach (ReadOnlyMemory<byte> part in bytes)
        {
            if (!Pass(part.Span))
            {
                return false;
            }
        }

        return true;
    }

    private bool Pass(ReadOnlySpan<byte> bytes)
    {
        if (_prefaceLeft > 0)
        {
            bytes = TakePreface(bytes);
        }

        while (bytes.Length > 0 && !_off)
        {
            if (_payloadLeft > 0)
            {
                int payload = Math.Min(_payloadLeft, bytes.Length);
                _payloadLeft -= payload;
                bytes = bytes[payload..];
                continue;
            }

            int header = Math.Min(HeaderLength - _headerFilled, bytes.Length);
            bytes[..header].CopyTo(_header.AsSpan(_headerFilled));
            _headerFilled += header;
            bytes = bytes[header..];
            if (_headerFilled == HeaderLength && !TakeHeader())
            {
                return false;
            }
        }

        return true;
    }

    private ReadOnlySpan<byte> TakePreface(ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min(_prefaceLeft, bytes.Length);
        _off = !bytes[..length].SequenceEqual(Preface.Slice(Preface.Length - _prefaceLeft, length));
        _prefaceLeft -= length;
        return bytes[length..];
    }

    // Length (3), type, flags, stream (4).
    private bool TakeHeader()
    {
        _headerFilled = 0;
        _payloadLeft = (_header[0] << 16) | (_header[1] << 8) | _header[2];
        double price = Price(type: _header[3], flags: _header[4], _payloadLeft);
        if (price == 0)
        {
            return true;
        }

        long now = time.GetTimestamp();
        _left = Math.Min(AtOnce, _left + (time.GetElapsedTime(_countedAt, now).TotalSeconds * PerSecond)) - price;
        _countedAt = now;
        return _left >= 0;
    }

    // Headers begin calls, which have limits of their own; the other two end the connection.
    private static double Price(byte type, byte flags, int length) => type switch
    {
        Data => length > 0 || (flags & EndStream) != 0 ? 0 : 1,
        Headers or PushPromise or GoAway => 0,
        WindowUpdate => WindowUpdatePrice,
        _ => 1,
    };
}
