using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Agent.Tests.Spool;

/// <summary>
/// The spool in memory alone. It survives an aggregator's absence, not the agent's end.
/// Acknowledged records stay until the run they belong to (a key frame and what builds on it) is acknowledged as a whole,
/// because a reconnect has to start at the run's key frame.
/// </summary>
internal sealed class MemorySpool : ISpool
{
    internal const int ChunkBytes = RecordRing.ChunkBytes;

    private readonly Lock _lock = new();
    private readonly RecordRing _ring;
    private readonly SequenceSet _acknowledged = new();
    private ulong _droppedRecords;
    private ulong _droppedSamples;

    /// <param name="epoch">A random number other than 0.</param>
    /// <param name="capacityBytes">Bytes to hold at most, in whole chunks of <see cref="ChunkBytes"/>.</param>
    /// <param name="boot">See <see cref="ISpool.Boot"/>.</param>
    internal MemorySpool(ulong epoch, long capacityBytes, uint boot = 0)
    {
        Epoch = epoch;
        Boot = boot;
        _ring = new RecordRing(capacityBytes, nextSequence: 1);
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
                return _ring.Next;
            }
        }
    }

    public ulong FirstHeldSequence
    {
        get
        {
            lock (_lock)
            {
                return _ring.First;
            }
        }
    }

    public ulong UnacknowledgedRecords
    {
        get
        {
            lock (_lock)
            {
                return (ulong)_ring.Count - (_ring.Count == 0 ? 0 : _acknowledged.CountWithin(_ring.First, _ring.Next - 1));
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
                return _ring.Bytes;
            }
        }
    }

    public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0)
    {
        bool canBeRead;
        lock (_lock)
        {
            if (_ring.IsOversized(message.Length))
            {
                _droppedRecords++;
                _droppedSamples += (ulong)samples;
                _ring.AddEmpty();
                return false;
            }

            while (_ring.MustDropFor(message.Length))
            {
                DropOldestRunNeedsLock();
            }

            _ring.Add(message, kind, samples);
            canBeRead = kind != RecordKind.Frame || (_ring.NewestKey > 0 && _ring.NewestKey >= _ring.First);
        }

        OnReadable?.Invoke();
        return canBeRead;
    }

    public void Acknowledge(ulong first, ulong last)
    {
        ulong firstHeld;
        lock (_lock)
        {
            _acknowledged.Add(first, Math.Min(last, _ring.Next - 1));
            ulong start = StartAfterNeedsLock(_acknowledged.LastContiguousFrom(_ring.First));
            _ring.RemoveOldest((int)(start - _ring.First));
            firstHeld = _ring.First;
            _acknowledged.RemoveBefore(firstHeld);
        }

        Schemas.Release(firstHeld);
    }

    public ulong StartAfter(ulong acknowledged)
    {
        lock (_lock)
        {
            return StartAfterNeedsLock(acknowledged);
        }
    }

    public ulong LiveStart()
    {
        lock (_lock)
        {
            return _ring.NewestKey > 0 && _ring.NewestKey >= _ring.First ? _ring.NewestKey : _ring.Next;
        }
    }

    public bool TryRead(ref ulong sequence, ref byte[] destination, out int length)
    {
        lock (_lock)
        {
            return _ring.TryRead(ref sequence, ulong.MaxValue, ref destination, out length);
        }
    }

    /// <summary>Pretends that what comes next would have to be read from a file.</summary>
    internal bool IsOnDisk { get; set; }

    public bool IsInMemory(ulong sequence) => !IsOnDisk;

    public byte[]? FindSchema(ulong sequence, uint schemaId)
    {
        lock (_lock)
        {
            return sequence < _ring.First ? null : Schemas.TryGet(schemaId);
        }
    }

    // With nothing owed, the next record still builds on the last run: start at its key frame all the same.
    private ulong StartAfterNeedsLock(ulong acknowledged) =>
        acknowledged == ulong.MaxValue ? _ring.First
        : _ring.KeyAtOrBefore(acknowledged + 1) is > 0 and ulong key ? key
        : _ring.First;

    private void DropOldestRunNeedsLock()
    {
        int run = _ring.OldestRunLength();
        for (ulong sequence = _ring.First; sequence < _ring.First + (ulong)run; sequence++)
        {
            // What was too large to be held was counted when it came; its empty place is not counted again.
            ref readonly RingEntry entry = ref _ring[sequence];
            if (entry.Length > 0 && !_acknowledged.Contains(sequence))
            {
                _droppedRecords++;
                _droppedSamples += (ulong)entry.Samples;
            }
        }

        _ring.RemoveOldest(run);
        _acknowledged.RemoveBefore(_ring.First);
    }
}
