using NodeAgent.Agent.Frames;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// The spool in memory: chunks of bytes with an index of records. It survives an aggregator's absence, not the agent's end.
/// Chunks are reused before new ones are made, so memory follows what is held, not what has passed through.
/// Acknowledged records stay until the run they belong to (a key frame and what builds on it) is acknowledged as a whole,
/// because a reconnect has to start at the run's key frame.
/// </summary>
internal sealed class MemorySpool : ISpool
{
    /// <summary>Room for about two minutes of a 400-series host; two chunks are all that a healthy link ever needs.</summary>
    internal const int ChunkBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly SequenceSet _acknowledged = new();
    private readonly Stack<byte[]> _spareChunks = [];
    private readonly long _capacityBytes;

    // Index of the held records, oldest at _head; sequences are consecutive, so position = sequence - first held.
    private Entry[] _entries = new Entry[1024];
    private int _head;
    private int _count;
    private long _heldBytes;
    private long _chunkBytes;
    private byte[] _chunk = [];
    private int _chunkUsed;
    private ulong _nextSequence = 1;
    private ulong _newestKey; // sequence of the last key frame appended, held or not; 0: none yet
    private ulong _droppedRecords;
    private ulong _droppedSamples;

    /// <param name="epoch">A random number other than 0.</param>
    /// <param name="capacityBytes">Bytes to hold at most, in whole chunks of <see cref="ChunkBytes"/>.</param>
    /// <param name="boot">See <see cref="ISpool.Boot"/>.</param>
    internal MemorySpool(ulong epoch, long capacityBytes, uint boot = 0)
    {
        Epoch = epoch;
        Boot = boot;
        _capacityBytes = Math.Max(capacityBytes, 2 * ChunkBytes);
    }

    public ulong Epoch { get; }

    public uint Boot { get; }

    public SchemaBook Schemas { get; } = new();

    public Action? OnReadable { get; set; }

    public SpoolMode Mode => SpoolMode.MemoryOnly;

    public string ModeReason => "made without a disk";

    public ulong ReadableThrough => NextSequence - 1;

    public ulong NextSequence
    {
        get
        {
            lock (_lock)
            {
                return _nextSequence;
            }
        }
    }

    public ulong FirstHeldSequence
    {
        get
        {
            lock (_lock)
            {
                return FirstHeldNeedsLock;
            }
        }
    }

    public ulong UnacknowledgedRecords
    {
        get
        {
            lock (_lock)
            {
                return (ulong)_count - (_count == 0 ? 0 : _acknowledged.CountWithin(FirstHeldNeedsLock, _nextSequence - 1));
            }
        }
    }

    public SpoolCounts Counts
    {
        get
        {
            lock (_lock)
            {
                return new SpoolCounts(_droppedRecords, _droppedSamples, 0, 0, 0);
            }
        }
    }

    public long HeldBytes
    {
        get
        {
            lock (_lock)
            {
                return _heldBytes;
            }
        }
    }

    private ulong FirstHeldNeedsLock => _nextSequence - (ulong)_count;

    public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0)
    {
        bool canBeRead;
        lock (_lock)
        {
            if (Math.Max(message.Length, ChunkBytes) > _capacityBytes)
            {
                // Its place stays in the index, empty, so that position and sequence keep step; readers pass over it.
                _droppedRecords++;
                _droppedSamples += (ulong)samples;
                AddNeedsLock([], RecordKind.Single, 0);
                return false;
            }

            if (_chunk.Length - _chunkUsed < message.Length)
            {
                StartChunkNeedsLock(message.Length);
            }

            _newestKey = kind == RecordKind.KeyFrame ? _nextSequence : _newestKey;
            canBeRead = kind != RecordKind.Frame || (_newestKey > 0 && _newestKey >= FirstHeldNeedsLock);
            AddNeedsLock(message, kind, samples);
        }

        OnReadable?.Invoke();
        return canBeRead;
    }

    public void Acknowledge(ulong first, ulong last)
    {
        ulong firstHeld;
        lock (_lock)
        {
            _acknowledged.Add(first, Math.Min(last, _nextSequence - 1));
            ulong start = StartAfterNeedsLock(_acknowledged.LastContiguousFrom(FirstHeldNeedsLock));
            RemoveOldestNeedsLock((int)(start - FirstHeldNeedsLock));
            firstHeld = FirstHeldNeedsLock;
            _acknowledged.RemoveBefore(firstHeld);
        }

        Schemas.Release(firstHeld);
    }

    public ulong LiveStart()
    {
        lock (_lock)
        {
            return _newestKey > 0 && _newestKey >= FirstHeldNeedsLock ? _newestKey : _nextSequence;
        }
    }

    public byte[]? FindSchema(ulong sequence, uint schemaId)
    {
        lock (_lock)
        {
            return sequence < FirstHeldNeedsLock ? null : Schemas.TryGet(schemaId);
        }
    }

    public ulong StartAfter(ulong acknowledged)
    {
        lock (_lock)
        {
            return StartAfterNeedsLock(acknowledged);
        }
    }

    public bool TryRead(ref ulong sequence, ref byte[] destination, out int length)
    {
        lock (_lock)
        {
            ulong first = FirstHeldNeedsLock;
            ulong wanted = Math.Max(sequence, first);
            while (wanted < _nextSequence && EntryAt((int)(wanted - first)).Length == 0)
            {
                wanted++;
            }

            length = 0;
            if (wanted >= _nextSequence)
            {
                return false;
            }

            ref readonly Entry entry = ref EntryAt((int)(wanted - first));
            if (destination.Length < entry.Length)
            {
                destination = new byte[Math.Max(entry.Length, destination.Length * 2)];
            }

            entry.Chunk.AsSpan(entry.Offset, entry.Length).CopyTo(destination);
            sequence = wanted;
            length = entry.Length;
            return true;
        }
    }

    private ulong StartAfterNeedsLock(ulong acknowledged)
    {
        // With nothing owed, the next record still builds on the last run: start at its key frame all the same.
        ulong first = FirstHeldNeedsLock;
        for (ulong sequence = Math.Min(acknowledged + 1, _nextSequence - 1); sequence >= first && sequence > 0; sequence--)
        {
            if (EntryAt((int)(sequence - first)).Kind == RecordKind.KeyFrame)
            {
                return sequence;
            }
        }

        return first;
    }

    private void DropOldestRunNeedsLock()
    {
        int run = 1;
        while (run < _count && EntryAt(run).Kind != RecordKind.KeyFrame)
        {
            run++;
        }

        CountDroppedNeedsLock(run);
        RemoveOldestNeedsLock(run);
        _acknowledged.RemoveBefore(FirstHeldNeedsLock);
    }

    // What was too large to be held was counted when it came; its empty place is not counted again.
    private void CountDroppedNeedsLock(int oldest)
    {
        ulong first = FirstHeldNeedsLock;
        for (int i = 0; i < oldest; i++)
        {
            ref readonly Entry entry = ref EntryAt(i);
            if (entry.Length > 0 && !_acknowledged.Contains(first + (ulong)i))
            {
                _droppedRecords++;
                _droppedSamples += (ulong)entry.Samples;
            }
        }
    }

    private void RemoveOldestNeedsLock(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Entry removed = _entries[_head];
            _entries[_head] = default;
            _heldBytes -= removed.Length;
            _head = (_head + 1) % _entries.Length;
            _count--;
            if (removed.Chunk != _chunk && (_count == 0 || _entries[_head].Chunk != removed.Chunk))
            {
                RetireNeedsLock(removed.Chunk);
            }
        }
    }

    private void RetireNeedsLock(byte[] chunk)
    {
        if (chunk.Length == ChunkBytes)
        {
            _spareChunks.Push(chunk);
        }
        else
        {
            _chunkBytes -= chunk.Length;
        }
    }

    private void StartChunkNeedsLock(int needed)
    {
        int size = Math.Max(needed, ChunkBytes);
        while (_count > 0 && _chunkBytes - ((long)_spareChunks.Count * ChunkBytes) + size > _capacityBytes)
        {
            DropOldestRunNeedsLock();
        }

        if (_count == 0 && _chunk.Length > 0)
        {
            RetireNeedsLock(_chunk);
        }

        if (size == ChunkBytes && _spareChunks.TryPop(out byte[]? spare))
        {
            _chunk = spare;
        }
        else
        {
            while (size > ChunkBytes && _chunkBytes + size > _capacityBytes && _spareChunks.TryPop(out byte[]? given))
            {
                _chunkBytes -= given.Length;
            }

            _chunk = new byte[size];
            _chunkBytes += size;
        }

        _chunkUsed = 0;
    }

    private void AddNeedsLock(ReadOnlySpan<byte> message, RecordKind kind, int samples)
    {
        if (_count == _entries.Length)
        {
            GrowIndexNeedsLock();
        }

        message.CopyTo(_chunk.AsSpan(_chunkUsed));
        _entries[(_head + _count) % _entries.Length] = new Entry(_chunk, _chunkUsed, message.Length, kind, samples);
        _chunkUsed += message.Length;
        _count++;
        _heldBytes += message.Length;
        _nextSequence++;
    }

    private void GrowIndexNeedsLock()
    {
        Entry[] larger = new Entry[_entries.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = EntryAt(i);
        }

        _entries = larger;
        _head = 0;
    }

    private ref Entry EntryAt(int position) => ref _entries[(_head + position) % _entries.Length];

    private readonly record struct Entry(byte[] Chunk, int Offset, int Length, RecordKind Kind, int Samples);
}
