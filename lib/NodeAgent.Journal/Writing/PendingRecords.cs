using System.Buffers.Binary;

namespace NodeAgent.Journal.Writing;

/// <summary>A stretch of appended records: length (4 bytes), type (1 byte), payload, one after the other.</summary>
internal sealed class PendingChunk(int bytes)
{
    public byte[] Buffer { get; } = new byte[bytes];

    /// <summary>Bytes in use. Grows under the append lock while this is the newest chunk, and never after.</summary>
    public int Length { get; set; }

    public PendingChunk? Next { get; set; }
}

/// <summary>A place between two pending records.</summary>
internal readonly record struct PendingPosition(PendingChunk Chunk, int Offset);

/// <summary>
/// Records that are not durable yet, in order. They stay until a sync has succeeded, because after a failed one memory is the only place
/// where they certainly are. Appending and releasing happen under the append lock; reading up to a position that was taken under it
/// needs none, since bytes before it never change.
/// </summary>
internal sealed class PendingRecords
{
    private const int RecordHeaderBytes = 5;
    private const int LargestChunkBytes = 256 * 1024;
    private const int SmallestChunkBytes = 16 * 1024;

    // Enough that a steady writer never allocates: one being filled, one or two being written, one to take next.
    private const int MaxSpareChunks = 4;

    private readonly long _maxBytes;
    private readonly Stack<PendingChunk> _spare = new();
    private readonly int _chunkBytes;
    private PendingChunk _head;
    private PendingChunk _tail;

    public PendingRecords(long maxBytes)
    {
        _maxBytes = maxBytes;
        // A log with little to keep waiting, as that of an idle part of a spool, should not hold memory for much.
        _chunkBytes = (int)Math.Clamp(maxBytes / 64, SmallestChunkBytes, LargestChunkBytes);
        _tail = _head = new PendingChunk(_chunkBytes);
    }

    /// <summary>Bytes held, headers included.</summary>
    public long Bytes { get; private set; }

    public PendingPosition Start => new(_head, HeadOffset);

    public PendingPosition End => new(_tail, _tail.Length);

    private int HeadOffset { get; set; }

    /// <summary>False: there is no room, nothing was added.</summary>
    public bool TryAdd(byte type, ReadOnlySpan<byte> payload)
    {
        int size = RecordHeaderBytes + payload.Length;
        if (Bytes + size > _maxBytes) return false;
        if (_tail.Buffer.Length - _tail.Length < size) AddChunk(size);

        Span<byte> target = _tail.Buffer.AsSpan(_tail.Length, size);
        BinaryPrimitives.WriteInt32LittleEndian(target, payload.Length);
        target[4] = type;
        payload.CopyTo(target[RecordHeaderBytes..]);
        _tail.Length += size;
        Bytes += size;
        return true;
    }

    /// <summary>The record at the position, which moves behind it; false at <paramref name="end"/>.</summary>
    public static bool TryRead(ref PendingPosition position, PendingPosition end, out byte type, out ReadOnlySpan<byte> payload)
    {
        type = 0;
        payload = default;
        if (position == end) return false;
        if (position.Chunk != end.Chunk && position.Offset == position.Chunk.Length)
        {
            position = new PendingPosition(position.Chunk.Next!, 0);
            if (position == end) return false;
        }

        ReadOnlySpan<byte> record = position.Chunk.Buffer.AsSpan(position.Offset);
        int length = BinaryPrimitives.ReadInt32LittleEndian(record);
        type = record[4];
        payload = record.Slice(RecordHeaderBytes, length);
        position = position with { Offset = position.Offset + RecordHeaderBytes + length };
        return true;
    }

    /// <summary>Forgets what lies before the position.</summary>
    /// <returns>Where <paramref name="position"/> is now: emptied chunks are used again from their start.</returns>
    public PendingPosition ReleaseTo(PendingPosition position)
    {
        while (_head != position.Chunk)
        {
            PendingChunk empty = _head;
            Bytes -= empty.Length - HeadOffset;
            HeadOffset = 0;
            _head = empty.Next!;
            Recycle(empty);
        }

        Bytes -= position.Offset - HeadOffset;
        HeadOffset = position.Offset;
        if (_head == _tail && HeadOffset == _tail.Length)
        {
            _tail.Length = 0;
            HeadOffset = 0;
        }

        return Start;
    }

    private void AddChunk(int size)
    {
        PendingChunk chunk = size <= _chunkBytes && _spare.TryPop(out PendingChunk? spare) ? spare : new PendingChunk(Math.Max(size, _chunkBytes));
        _tail.Next = chunk;
        _tail = chunk;
    }

    private void Recycle(PendingChunk chunk)
    {
        chunk.Next = null;
        chunk.Length = 0;
        if (chunk.Buffer.Length == _chunkBytes && _spare.Count < MaxSpareChunks) _spare.Push(chunk);
    }
}
