using NodeAgent.Journal.Files;

namespace NodeAgent.Journal.Segments;

/// <summary>
/// Frames records into the blocks of one new file. Bytes that were written are never written again. After any failure the writer is of
/// no more use; its owner abandons it. Used under the commit lock only.
/// </summary>
internal sealed class SegmentWriter(IFileOps files, long handle, SegmentInfo info, Guid journalId, long segmentBytes, TimeProvider time)
{
    private readonly uint _blockCount = (uint)(segmentBytes / SegmentFormat.BlockBytes);
    private byte[] _block = [];
    private uint _blockIndex;
    private int _position;
    private int _writtenPosition;
    private uint _key;
    private ulong _blockFirstId;

    public SegmentInfo Info => info;

    public long Handle => handle;

    /// <summary>Where the next byte goes.</summary>
    public long Offset => ((long)_blockIndex * SegmentFormat.BlockBytes) + _position;

    /// <summary>The offset up to which a sync has succeeded.</summary>
    public long DurableOffset { get; private set; }

    /// <summary>The floor that the newest block's header carries.</summary>
    public ulong Floor { get; private set; }

    /// <summary>Puts the first block's header into the file.</summary>
    /// <param name="block">64 KiB that the writer uses until it is given up.</param>
    /// <param name="floor">See <see cref="BlockHeader.Floor"/>.</param>
    public IoResult Begin(byte[] block, ulong floor)
    {
        _block = block;
        BeginBlock(0, info.FirstId, floor);
        return Flush();
    }

    public bool Fits(int payloadBytes)
    {
        int left = SegmentFormat.BlockBytes - _position;
        long room = (_blockCount - 1 - _blockIndex) * (long)SegmentFormat.MaxFragmentPayloadBytes;
        if (HasRoom(left, payloadBytes)) room += left - SegmentFormat.FragmentHeaderBytes;
        else if (room == 0) return false;
        return payloadBytes <= room;
    }

    /// <summary>Adds a record; full blocks are written, the last one waits for <see cref="Flush"/>.</summary>
    public IoResult Append(ulong id, byte type, ReadOnlySpan<byte> payload)
    {
        bool first = true;
        while (true)
        {
            if (!HasRoom(SegmentFormat.BlockBytes - _position, payload.Length))
            {
                IoResult next = NextBlock(first ? id : id + 1, Floor);
                if (!next.Ok) return next;
            }

            int size = Math.Min(payload.Length, SegmentFormat.BlockBytes - _position - SegmentFormat.FragmentHeaderBytes);
            bool last = size == payload.Length;
            ushort ordinal = first ? (ushort)(id - _blockFirstId) : Fragment.Continuation;
            Fragment.Write(_block.AsSpan(_position), _key, payload[..size], ordinal, type, first, last);
            _position += SegmentFormat.FragmentHeaderBytes + size;
            if (last) return IoResult.Done();
            payload = payload[size..];
            first = false;
        }
    }

    /// <summary>Leaves the rest of the block empty and begins another whose header carries the floor. False: no block is left.</summary>
    public bool TryRecordFloor(ulong nextId, ulong floor, out IoResult result)
    {
        result = IoResult.Done();
        if (_blockIndex + 1 >= _blockCount) return false;
        result = NextBlock(nextId, floor);
        return true;
    }

    /// <summary>Gives what was framed to the operating system.</summary>
    public IoResult Flush()
    {
        if (_writtenPosition == _position) return IoResult.Done();
        long start = ((long)_blockIndex * SegmentFormat.BlockBytes) + _writtenPosition;
        IoResult written = files.WriteAll(handle, _block.AsSpan(_writtenPosition.._position), start);
        if (!written.Ok) return written;
        _writtenPosition = _position;
        info.Bytes = Offset;
        return written;
    }

    /// <summary>
    /// Makes what was flushed durable. An interrupted sync counts as a failed one: nothing says what it left undone.
    /// </summary>
    public IoResult Sync(bool metadata)
    {
        IoResult synced = metadata ? files.Sync(handle) : files.SyncData(handle);
        if (synced.Ok) DurableOffset = Offset;
        return synced;
    }

    // A piece of nothing would say nothing, so a fragment takes at least one byte of a record that has any.
    private static bool HasRoom(int left, int payloadBytes) => left >= SegmentFormat.FragmentHeaderBytes + Math.Min(1, payloadBytes);

    private IoResult NextBlock(ulong firstId, ulong floor)
    {
        IoResult flushed = Flush();
        if (flushed.Ok) BeginBlock(_blockIndex + 1, firstId, floor);
        return flushed;
    }

    private void BeginBlock(uint index, ulong firstId, ulong floor)
    {
        uint now = (uint)Math.Clamp(time.GetUtcNow().ToUnixTimeSeconds(), 0, uint.MaxValue);
        _blockIndex = index;
        _blockFirstId = firstId;
        Floor = floor;
        info.WrittenUnixSeconds = now;
        _key = new BlockHeader(journalId, info.Number, index, firstId, floor, now).Write(_block);
        _position = BlockHeader.Bytes;
        _writtenPosition = 0;
    }
}
