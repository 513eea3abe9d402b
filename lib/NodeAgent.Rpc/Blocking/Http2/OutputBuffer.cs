using System.Buffers.Binary;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>Frames that wait to be written, in one piece of memory that is kept, so that steady traffic allocates nothing.</summary>
internal sealed class OutputBuffer
{
    private const int Smallest = 4 * 1024;

    // One flood must not hold its memory for ever.
    private const int KeepAtMost = 64 * 1024;

    private int _start;
    private int _end;

    /// <summary>Bytes that wait.</summary>
    internal int Length => _end - _start;

    /// <summary>The memory behind <see cref="Offset"/> and <see cref="Length"/>; an array, because SslStream takes nothing else without
    /// a copy.</summary>
    internal byte[] Array { get; private set; } = new byte[Smallest];

    internal int Offset => _start;

    /// <summary>The front was written.</summary>
    internal void Consume(int count)
    {
        _start += count;
        if (_start < _end)
        {
            return;
        }

        _start = _end = 0;
        if (Array.Length > KeepAtMost)
        {
            Array = new byte[Smallest];
        }
    }

    internal void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    internal void WriteHeader(int length, FrameType type, FrameFlags flags, int streamId) =>
        new FrameHeader(length, type, flags, streamId).Write(Take(FrameHeader.Size));

    /// <summary>A frame whose payload is one number of four bytes: WINDOW_UPDATE and RST_STREAM.</summary>
    internal void WriteNumber(FrameType type, int streamId, uint number)
    {
        WriteHeader(sizeof(uint), type, FrameFlags.None, streamId);
        BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), number);
    }

    internal void WriteSetting(ushort name, uint value)
    {
        Span<byte> target = Take(6);
        BinaryPrimitives.WriteUInt16BigEndian(target, name);
        BinaryPrimitives.WriteUInt32BigEndian(target[2..], value);
    }

    private Span<byte> Take(int count)
    {
        if (Array.Length - _end < count)
        {
            MakeRoom(count);
        }

        _end += count;
        return Array.AsSpan(_end - count, count);
    }

    private void MakeRoom(int count)
    {
        byte[] target = Length + count <= Array.Length ? Array : new byte[Math.Max(2 * Array.Length, Length + count)];
        Array.AsSpan(_start, Length).CopyTo(target);
        Array = target;
        _end -= _start;
        _start = 0;
    }
}
