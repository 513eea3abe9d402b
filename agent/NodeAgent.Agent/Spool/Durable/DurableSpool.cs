using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using NodeAgent.Agent.Frames;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// The spool on disk. What the tick appends goes into memory; <see cref="Pump"/>, on a thread of its own, writes and syncs it, and only
/// then may it be sent. Fresh records are read from memory, older ones from the files. Memory holds a few minutes when the disk is
/// well, and up to its bound when it is not. A disk that takes nothing for <see cref="PatienceWithDisk"/> is done without: records are sent
/// from memory alone, and a return of the disk is noticed by itself.
/// </summary>
internal sealed partial class DurableSpool : ISpool, IDisposable
{
    /// <summary>
    /// So long records wait for a disk that takes none, before they are sent without it. Long against a slow sync; and longer than
    /// <see cref="SpoolStart.ContinuityLimit"/>, by which the next life of the agent tells that nothing was sent from memory alone.
    /// </summary>
    internal static readonly TimeSpan PatienceWithDisk = TimeSpan.FromSeconds(10);

    /// <summary>Durable records kept in memory all the same: five minutes of a 400-series host, so that a reconnect finds its key frame there.</summary>
    internal const long RecentBytes = 128 * 1024;

    /// <summary>The journal takes no larger ones.</summary>
    private const int LargestRecordBytes = 4 << 20;

    private readonly SpoolPlan _plan;
    private readonly IFileOps _files;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly SpoolLog _log;
    private readonly ulong _owner;
    private readonly SpoolLedger _ledger = new();

    // Guards the ring and what is said about it. Held for copies, never during a file call.
    private readonly Lock _lock = new();
    private readonly RecordRing _ring;
    private SpoolDisk? _disk; // set once, when the disk could be opened
    private ulong _readable;
    private ulong _durable; // last sequence that survives a power cut
    private ulong _given; // last sequence that the journal has, in memory at least
    private long _waitingSince; // since when the disk has taken nothing though there was something to take
    private string _failure; // why memory is all there is; "": the disk is well

    // The reading side: two places in the files, for a backlog and for whoever comes beside it.
    private readonly Lock _readLock = new();
    private SpoolReader? _reader; // null before the disk could be opened, and after the end

    // The spool that was found when the directory came back, opened for what is in it alone; nothing is appended to it.
    private volatile DurableSpool? _inherited;

    private DurableSpool(SpoolPlan plan, IFileOps files, TimeProvider clock, Random random, SpoolLog log)
    {
        _plan = plan;
        _files = files;
        _clock = clock;
        _random = random;
        _log = log;
        _owner = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(plan.Owner)));
        ulong next = 1;
        if (TryOpen(adopt: 0, out SpoolDisk? disk, out SpoolStart? start, out OpenError? error))
        {
            next = Begin(disk, start);
            _failure = "";
        }
        else
        {
            OpenFailure = error;
            Epoch = NewEpoch(random);
            _failure = error.Message;
            _retryAt = clock.GetTimestamp() + Ticks(_retryDelay);
            log.Unavailable(plan.Directory, error.Message);
        }

        _ring = new RecordRing(plan.MemoryBytes, next);
        _ring.Reserve(RecentBytes + (2 * RecordRing.ChunkBytes)); // at either end a chunk that is used in part
        _durable = _given = _readable = next - 1;
        _waitingSince = _syncedAt = _savedAt = _upkeepAt = clock.GetTimestamp();
    }

    /// <summary>Opens the spool, or goes without a disk for now. Never throws for what the world does.</summary>
    /// <param name="plan">How it is kept.</param>
    /// <param name="files">The file calls.</param>
    /// <param name="clock">Whose monotonic part is the one that frames carry.</param>
    /// <param name="random">For the epoch.</param>
    /// <param name="log">What people are told.</param>
    internal static DurableSpool Open(SpoolPlan plan, IFileOps files, TimeProvider clock, Random random, SpoolLog log) =>
        new(plan, files, clock, random, log);

    public ulong Epoch { get; private set; }

    public uint Boot { get; private set; }

    /// <summary>Why the disk could not be used at the start; null when it could. Another process that has the spool is no reason to go on.</summary>
    internal OpenError? OpenFailure { get; }

    /// <summary>Called after each append, to wake the disk's thread.</summary>
    internal Action? OnAppended { get; set; }

    public ISpool? Inherited => _inherited;

    public SchemaBook Schemas { get; } = new();

    public Action? OnReadable { get; set; }

    /// <summary>Called instead of <see cref="OnReadable"/> where <see cref="Pump"/> made records readable, by its thread, which may wait.</summary>
    internal Action? OnSynced { get; set; }

    public SpoolCounts Counts => _ledger.Counts;

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
                // Holes are settled: what was lost, dropped or jumped over is owed to nobody.
                return _ledger.SettledThrough(OldestNeedsLock()) + 1;
            }
        }
    }

    public ulong UnacknowledgedRecords
    {
        get
        {
            lock (_lock)
            {
                return _ledger.CountUnsettled(OldestNeedsLock(), _ring.Next - 1);
            }
        }
    }

    public ulong ReadableThrough
    {
        get
        {
            lock (_lock)
            {
                return _readable;
            }
        }
    }

    public long HeldBytes
    {
        get
        {
            lock (_lock)
            {
                return (_disk?.DiskBytes ?? 0) + _ring.Bytes;
            }
        }
    }

    public SpoolMode Mode
    {
        get
        {
            lock (_lock)
            {
                return _failure.Length > 0 || IsStuckNeedsLock() ? SpoolMode.MemoryOnly : SpoolMode.Durable;
            }
        }
    }

    public string ModeReason
    {
        get
        {
            lock (_lock)
            {
                return _failure.Length > 0 ? _failure : IsStuckNeedsLock() ? "the disk does not answer" : "";
            }
        }
    }

    /// <summary>The last sequence that survives a power cut.</summary>
    internal ulong DurableThrough
    {
        get
        {
            lock (_lock)
            {
                return _durable;
            }
        }
    }

    /// <summary>Failed syncs of the spool's files.</summary>
    internal long SyncErrors => _disk?.SyncErrors ?? 0;

    public bool Append(ReadOnlySpan<byte> message, RecordKind kind, int samples = 0)
    {
        bool canBeRead;
        bool grew;
        lock (_lock)
        {
            if (_ring.Next - 1 == _durable)
            {
                _waitingSince = _clock.GetTimestamp();
            }

            if (_ring.IsOversized(message.Length) || message.Length > LargestRecordBytes)
            {
                _ledger.Drop(_ring.Next, _ring.Next, (ulong)samples);
                _ring.AddEmpty();
                return false;
            }

            while (_ring.MustDropFor(message.Length))
            {
                DropOldestRunNeedsLock();
            }

            _ring.Add(message, kind, samples);
            canBeRead = kind != RecordKind.Frame || (_ring.NewestKey > 0 && (_ring.NewestKey >= _ring.First || _ring.NewestKey <= _given));
            grew = RaiseReadableNeedsLock();
        }

        OnAppended?.Invoke();
        if (grew)
        {
            OnReadable?.Invoke();
        }

        return canBeRead;
    }

    public void Acknowledge(ulong first, ulong last)
    {
        lock (_lock)
        {
            last = Math.Min(last, _ring.Next - 1);
            if (first <= last)
            {
                _ledger.Settle(first, last);
                TrimNeedsLock();
            }
        }
    }

    public ulong StartAfter(ulong acknowledged)
    {
        ulong wanted = acknowledged == ulong.MaxValue ? acknowledged : acknowledged + 1;
        lock (_lock)
        {
            ulong key = wanted >= _ring.First ? _ring.KeyAtOrBefore(wanted) : 0;
            if (key > 0)
            {
                return key;
            }
        }

        lock (_readLock)
        {
            return _reader?.KeyAtOrBefore(wanted) is > 0 and ulong key ? key : FirstHeldSequence;
        }
    }

    // Not the next sequence where nothing may be sent yet: what waits for its sync then begins with the key frame that it builds on.
    public ulong LiveStart() => StartAfter(ReadableThrough);

    public bool TryRead(ref ulong sequence, ref byte[] destination, out int length)
    {
        ulong limit;
        lock (_lock)
        {
            limit = _readable;
            if (_reader is null || sequence >= _ring.First)
            {
                return TryReadMemoryNeedsLock(limit, ref sequence, ref destination, out length);
            }
        }

        lock (_readLock)
        {
            ulong wanted = sequence;
            if (_reader is { } reader && reader.TryRead(ref wanted, limit, ref destination, out length))
            {
                sequence = wanted;
                return true;
            }

            // What the disk refuses now is still owed: what memory has behind it must not go in its place.
            length = 0;
            if (_reader is null or { IsRefused: true })
            {
                return false;
            }
        }

        lock (_lock)
        {
            return TryReadMemoryNeedsLock(limit, ref sequence, ref destination, out length);
        }
    }

    public bool IsInMemory(ulong sequence)
    {
        lock (_lock)
        {
            return _reader is null || sequence >= _ring.First;
        }
    }

    public byte[]? FindSchema(ulong sequence, uint schemaId)
    {
        if (Schemas.TryGet(schemaId) is { } schema)
        {
            return schema;
        }

        lock (_readLock)
        {
            return _reader?.FindSchema(schemaId);
        }
    }

    private bool TryReadMemoryNeedsLock(ulong limit, ref ulong sequence, ref byte[] destination, out int length)
    {
        ulong wanted = sequence;
        length = 0;
        if (wanted > limit || !_ring.TryRead(ref wanted, limit, ref destination, out length))
        {
            return false;
        }

        sequence = wanted;
        return true;
    }

    private ulong OldestNeedsLock() => Math.Min(_disk?.Index.At(0)?.FirstSequence ?? ulong.MaxValue, _ring.First);

    private bool IsStuckNeedsLock() =>
        _ring.Next - 1 > _durable && _clock.GetElapsedTime(_waitingSince) >= PatienceWithDisk;

    private bool RaiseReadableNeedsLock()
    {
        ulong through = _disk is null || IsStuckNeedsLock() ? _ring.Next - 1 : _durable;
        bool grew = through > _readable;
        _readable = Math.Max(_readable, through);
        return grew;
    }

    private void DropOldestRunNeedsLock()
    {
        int run = _ring.OldestRunLength();
        for (ulong sequence = _ring.First; sequence < _ring.First + (ulong)run; sequence++)
        {
            // The journal has the others, if not yet on disk. What was too large to be held was counted when it came.
            if (sequence > _given && _ring[sequence].Length > 0)
            {
                _ledger.Drop(sequence, sequence, _ledger.IsSettled(sequence) ? 0UL : (ulong)_ring[sequence].Samples);
            }
        }

        _ring.RemoveOldest(run);
        Schemas.Release(_ring.First);
    }

    // What is on disk, or needed by nobody, stays only as far as a reader is likely to want it soon.
    private void TrimNeedsLock()
    {
        bool any = false;
        while (_ring.Bytes > RecentBytes)
        {
            int run = _ring.OldestRunLength();
            ulong last = _ring.First + (ulong)run - 1;
            if (last == _ring.Next - 1 || (last > _durable && !_ledger.IsSettled(_ring.First, last)))
            {
                break;
            }

            _ring.RemoveOldest(run);
            any = true;
        }

        if (any)
        {
            Schemas.Release(_ring.First);
        }
    }

    private void ForgetInMemory(ulong through)
    {
        lock (_lock)
        {
            if (through >= _ring.First)
            {
                _ring.RemoveOldest((int)(Math.Min(through, _durable) - _ring.First + 1));
                Schemas.Release(_ring.First);
            }
        }
    }

    // Never 0, which means "none" on the wire.
    private static ulong NewEpoch(Random random) => (ulong)random.NextInt64(1, long.MaxValue);

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _clock.TimestampFrequency);
}
