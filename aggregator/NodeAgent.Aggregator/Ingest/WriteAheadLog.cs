using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// The journal under ingest: records in the order in which they were taken, durable by group commit. Appending copies into memory and
/// never waits for the disk; whoever owns it commits, from one thread.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    // For a header with its message, so that the journal gets them in one piece. One for each thread that takes records.
    [ThreadStatic]
    private static byte[]? _scratch;

    private readonly DurableLog _log;
    private readonly Lock _releasing = new();
    private long _appendedBytes;
    private ulong _lastId;
    private long _forcedReleases;
    private volatile bool _isFailing;

    private WriteAheadLog(DurableLog log)
    {
        _log = log;
        _lastId = log.Recovery.NextId - 1;
    }

    internal RecoveryReport Recovery => _log.Recovery;

    /// <summary>All records up to this one survive a power cut.</summary>
    internal ulong DurableId => _log.DurableId;

    /// <summary>The newest record, durable or not.</summary>
    internal ulong LastId => Volatile.Read(ref _lastId);

    /// <summary>Bytes of all records, from the oldest that was there at start to the newest: a scale that only grows.</summary>
    internal long Bytes => Interlocked.Read(ref _appendedBytes);

    /// <summary>The last commit failed: nothing can be acknowledged until one succeeds.</summary>
    internal bool IsFailing => _isFailing;

    /// <summary>Times that records were let go which the memory store would still have wanted after a restart, for want of room.</summary>
    internal long ForcedReleases => Interlocked.Read(ref _forcedReleases);

    internal static bool TryOpen(
        IngestOptions options, IFileOps files, TimeProvider time, [NotNullWhen(true)] out WriteAheadLog? log, [NotNullWhen(false)] out OpenError? error)
    {
        bool isOpen = DurableLog.TryOpen(options.WalJournal, files, time, out DurableLog? journal, out error);
        log = isOpen ? new WriteAheadLog(journal!) : null;
        return isOpen;
    }

    /// <summary>Takes a message of a stream. 0: there is no room, because the disk has failed for too long.</summary>
    internal ulong AppendMessage(in WalMessageHeader header, ReadOnlySpan<byte> message)
    {
        int most = WalMessageHeader.MaxBytes + message.Length;
        if (_scratch is null || _scratch.Length < most)
        {
            _scratch = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(most, 4096))];
        }

        int length = header.WriteTo(_scratch);
        message.CopyTo(_scratch.AsSpan(length));
        return Append(WalRecordType.Message, _scratch.AsSpan(0, length + message.Length));
    }

    /// <summary>Takes a record. 0: there is no room.</summary>
    internal ulong Append(WalRecordType type, ReadOnlySpan<byte> payload)
    {
        AppendResult result = _log.TryAppend((byte)type, payload);
        if (!result.IsTaken)
        {
            return 0;
        }

        Interlocked.Add(ref _appendedBytes, payload.Length);
        RaiseLastId(result.Id);
        return result.Id;
    }

    /// <summary>Makes durable what was appended. False: the disk fails.</summary>
    internal bool Commit()
    {
        CommitOutcome outcome = _log.Commit();
        _isFailing = outcome == CommitOutcome.Degraded;
        return outcome == CommitOutcome.Done;
    }

    /// <summary>So many bytes of records were there at start.</summary>
    internal void CountReplayed(long bytes) => Interlocked.Add(ref _appendedBytes, bytes);

    /// <summary>A reader of what is durable, from a record on.</summary>
    internal JournalReader OpenReader(ulong fromId = 1) => _log.OpenReader(fromId);

    /// <summary>Nobody needs this record and those before it.</summary>
    internal void ReleaseUpTo(ulong id)
    {
        lock (_releasing)
        {
            _log.ReleaseUpTo(id);
        }
    }

    /// <summary>Shows the journal while nothing is let go of: for a cut that must fit to what the store has in files. Be quick.</summary>
    internal void WithoutReleases(Action<DurableLog> look)
    {
        lock (_releasing)
        {
            look(_log);
        }
    }

    internal void CountForcedRelease() => Interlocked.Increment(ref _forcedReleases);

    internal JournalStatus Status() => _log.Status();

    /// <summary>Commits and closes.</summary>
    public void Dispose() => _log.Dispose();

    private void RaiseLastId(ulong id)
    {
        ulong last = Volatile.Read(ref _lastId);
        while (last < id)
        {
            ulong seen = Interlocked.CompareExchange(ref _lastId, id, last);
            last = seen == last ? id : seen;
        }
    }
}
