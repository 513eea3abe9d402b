namespace NodeAgent.Agent.Spool;

/// <summary>
/// Records in memory, oldest first, under consecutive sequences: chunks of bytes with an index. Chunks are used again before new ones are
/// made, so memory follows what is held, not what has passed through. Not thread-safe.
/// </summary>
/// <param name="capacityBytes">Bytes to hold at most, in whole chunks of <see cref="ChunkBytes"/>.</param>
/// <param name="nextSequence">The first sequence.</param>
internal sealed class RecordRing(long capacityBytes, ulong nextSequence)
{
    /// <summary>Room for about two minutes of a 400-series host; two chunks are all that a healthy link ever needs.</summary>
    internal const int ChunkBytes = 64 * 1024;

    private readonly long _capacityBytes = Math.Max(capacityBytes, 2 * ChunkBytes);
    private readonly Stack<byte[]> _spareChunks = [];

    // Index of the held records, oldest at _head; sequences are consecutive, so position = sequence - first held.
    private RingEntry[] _entries = new RingEntry[1024];
    private int _head;
    private long _chunkBytes;
    private byte[] _chunk = [];
    private int _chunkUsed;

    /// <summary>The sequence that the next record gets.</summary>
    internal ulong Next { get; private set; } = nextSequence;

    /// <summary>The oldest held; equal to <see cref="Next"/> when there is none.</summary>
    internal ulong First => Next - (ulong)Count;

    internal int Count { get; private set; }

    /// <summary>Bytes of the records held.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Sequence of the last key frame added, held or not; 0: none yet.</summary>
    internal ulong NewestKey { get; private set; }

    internal ref readonly RingEntry this[ulong sequence] => ref EntryAt((int)(sequence - First));

    /// <summary>
    /// Makes the memory for so many bytes of records now: a ring that fills up slowly would otherwise allocate in the middle of a steady state,
    /// minutes after the start.
    /// </summary>
    internal void Reserve(long bytes)
    {
        while (_chunkBytes < bytes && _chunkBytes + ChunkBytes <= _capacityBytes)
        {
            _spareChunks.Push(new byte[ChunkBytes]);
            _chunkBytes += ChunkBytes;
        }
    }

    /// <summary>Larger than all the room there is.</summary>
    internal bool IsOversized(int length) => Math.Max(length, ChunkBytes) > _capacityBytes;

    /// <summary>Whether old records have to go before one of this length can be added.</summary>
    internal bool MustDropFor(int length) =>
        Count > 0 && _chunk.Length - _chunkUsed < length
        && _chunkBytes - ((long)_spareChunks.Count * ChunkBytes) + Math.Max(length, ChunkBytes) > _capacityBytes;

    /// <summary>Adds a record for which there is room.</summary>
    internal void Add(ReadOnlySpan<byte> message, RecordKind kind, int samples)
    {
        if (_chunk.Length - _chunkUsed < message.Length)
        {
            StartChunk(message.Length);
        }

        NewestKey = kind == RecordKind.KeyFrame ? Next : NewestKey;
        AddEntry(message, kind, samples);
    }

    /// <summary>Gives the next sequence to a record that is not held, so that position and sequence keep step; readers pass over it.</summary>
    internal void AddEmpty() => AddEntry([], RecordKind.Single, 0);

    /// <summary>How many records the oldest run has: a key frame and what builds on it.</summary>
    internal int OldestRunLength()
    {
        int run = 1;
        while (run < Count && EntryAt(run).Kind != RecordKind.KeyFrame)
        {
            run++;
        }

        return run;
    }

    /// <summary>The newest key frame at or before this sequence, 0 when none is held.</summary>
    internal ulong KeyAtOrBefore(ulong wanted)
    {
        for (ulong sequence = Math.Min(wanted, Next - 1); sequence >= First && sequence > 0; sequence--)
        {
            if (this[sequence].Kind == RecordKind.KeyFrame)
            {
                return sequence;
            }
        }

        // Before the first key frame of a life there are only records that stand alone.
        return First < Next && wanted >= First && this[First].Kind == RecordKind.Single ? First : 0;
    }

    /// <summary>Copies the record with this sequence or the next later one that is held, up to the limit.</summary>
    internal bool TryRead(ref ulong sequence, ulong limit, ref byte[] destination, out int length)
    {
        length = 0;
        ulong wanted = Math.Max(sequence, First);
        while (wanted < Next && this[wanted].Length == 0)
        {
            wanted++;
        }

        if (wanted >= Next || wanted > limit)
        {
            return false;
        }

        ref readonly RingEntry entry = ref this[wanted];
        if (destination.Length < entry.Length)
        {
            destination = new byte[Math.Max(entry.Length, destination.Length * 2)];
        }

        entry.Bytes.CopyTo(destination);
        sequence = wanted;
        length = entry.Length;
        return true;
    }

    internal void RemoveOldest(int count)
    {
        for (int i = 0; i < count; i++)
        {
            RingEntry removed = _entries[_head];
            _entries[_head] = default;
            Bytes -= removed.Length;
            _head = (_head + 1) % _entries.Length;
            Count--;
            if (removed.Chunk != _chunk && (Count == 0 || _entries[_head].Chunk != removed.Chunk))
            {
                Retire(removed.Chunk);
            }
        }
    }

    private void Retire(byte[] chunk)
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

    private void StartChunk(int needed)
    {
        int size = Math.Max(needed, ChunkBytes);
        if (Count == 0 && _chunk.Length > 0)
        {
            Retire(_chunk);
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

    private void AddEntry(ReadOnlySpan<byte> message, RecordKind kind, int samples)
    {
        if (Count == _entries.Length)
        {
            GrowIndex();
        }

        message.CopyTo(_chunk.AsSpan(_chunkUsed));
        _entries[(_head + Count) % _entries.Length] = new RingEntry(_chunk, _chunkUsed, message.Length, kind, samples);
        _chunkUsed += message.Length;
        Count++;
        Bytes += message.Length;
        Next++;
    }

    private void GrowIndex()
    {
        RingEntry[] larger = new RingEntry[_entries.Length * 2];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = EntryAt(i);
        }

        _entries = larger;
        _head = 0;
    }

    private ref RingEntry EntryAt(int position) => ref _entries[(_head + position) % _entries.Length];
}

/// <summary>Where a record lies in memory, and what it is.</summary>
internal readonly record struct RingEntry(byte[] Chunk, int Offset, int Length, RecordKind Kind, int Samples)
{
    internal ReadOnlySpan<byte> Bytes => Chunk.AsSpan(Offset, Length);
}
