using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Events;

/// <summary>
/// The events on disk: they are few and wanted for longer than the write-ahead log is kept. Written from the log, behind it: only
/// what is durable there comes here, so both agree after any crash. Driven by the committing thread.
/// </summary>
internal sealed class EventJournal : IDisposable
{
    private const byte RecordType = 1;
    private const byte Version = 1;

    private readonly DurableLog _log;
    private readonly Guid _walId;
    private readonly Lock _lock = new(); // guards _waiting
    private readonly PriorityQueue<LedgerEntry, ulong> _waiting = new(); // by log record: what is written last proves all before it
    private readonly ArrayBufferWriter<byte> _scratch = new();
    private long _lost;

    private EventJournal(DurableLog log, Guid walId)
    {
        _log = log;
        _walId = walId;
    }

    /// <summary>The journal itself, for a backup.</summary>
    internal DurableLog Log => _log;

    /// <summary>Events of the write-ahead log up to this record are here.</summary>
    internal ulong LastLogId { get; private set; }

    /// <summary>Events that could not be read back at start.</summary>
    internal long UnreadRecords { get; private set; }

    /// <summary>The last commit failed: events that the write-ahead log has may not be here yet.</summary>
    internal bool IsBehind { get; private set; }

    /// <summary>Events that could not be kept here because the disk failed for too long; the write-ahead log has them for a while.</summary>
    internal long Lost => Interlocked.Read(ref _lost);

    /// <summary>Opens the journal and puts what it holds into the ledger.</summary>
    internal static bool TryOpen(
        IngestOptions options, IFileOps files, TimeProvider time, Guid walId, EventLedger ledger,
        [NotNullWhen(true)] out EventJournal? events, [NotNullWhen(false)] out OpenError? error)
    {
        bool isOpen = DurableLog.TryOpen(options.EventJournal, files, time, out DurableLog? journal, out error);
        events = isOpen ? new EventJournal(journal!, walId) : null;
        events?.ReadInto(ledger);
        return isOpen;
    }

    /// <summary>Keeps an event until the log record that brought it is durable.</summary>
    internal void Add(LedgerEntry entry, ulong logId)
    {
        lock (_lock)
        {
            _waiting.Enqueue(entry, logId);
        }
    }

    /// <summary>An event waits for its log record to become durable.</summary>
    internal bool HasWaiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count > 0;
            }
        }
    }

    /// <summary>Takes over the events up to this log record, all of which must have been added. False: the disk fails.</summary>
    internal bool Commit(ulong durableLogId)
    {
        while (TryTake(durableLogId, out LedgerEntry? entry, out ulong logId))
        {
            Append(entry, logId);
        }

        IsBehind = _log.Commit() != CommitOutcome.Done;
        return !IsBehind;
    }

    /// <summary>Up to where the write-ahead log may be let go of without costing an event: this record at most.</summary>
    internal ulong Bound(ulong logId)
    {
        lock (_lock)
        {
            bool waits = _waiting.TryPeek(out _, out ulong first);
            return IsBehind ? 0 : waits ? Math.Min(logId, first - 1) : logId;
        }
    }

    public void Dispose() => _log.Dispose();

    private bool TryTake(ulong durableLogId, [NotNullWhen(true)] out LedgerEntry? entry, out ulong logId)
    {
        lock (_lock)
        {
            bool isDue = _waiting.TryPeek(out entry, out logId) && logId <= durableLogId;
            entry = isDue ? _waiting.Dequeue() : null;
            return isDue;
        }
    }

    private void Append(LedgerEntry entry, ulong logId)
    {
        _scratch.ResetWrittenCount();
        _scratch.Write([Version]);
        _scratch.Write(_walId.ToByteArray());
        WalFields.AddVarint(_scratch, logId);
        WalFields.AddText(_scratch, entry.Node);
        WalFields.AddZigZag(_scratch, entry.ReceivedUnixMs);
        WalFields.AddBytes(_scratch, entry.Event.ToByteArray());
        if (_log.TryAppend(RecordType, _scratch.WrittenSpan).IsTaken)
        {
            LastLogId = logId;
        }
        else
        {
            Interlocked.Increment(ref _lost);
        }
    }

    // In rising order of their log records. One that was written again, because the journal could not be read for a while, counts once.
    private void ReadInto(EventLedger ledger)
    {
        using JournalReader reader = _log.OpenReader(1);
        (Guid Wal, ulong LogId) last = default;
        while (reader.TryReadPatiently(out JournalRecord record))
        {
            WalFields fields = new(record.Payload);
            if (!fields.TryReadByte(out byte version) || version != Version || fields.Rest.Length < 16)
            {
                continue;
            }

            Guid walId = new(fields.Rest[..16]);
            fields = new WalFields(fields.Rest[16..]);
            if (fields.TryReadVarint(out ulong logId) && fields.TryReadText(out string node) && fields.TryReadZigZag(out long received)
                && fields.TryReadBytes(out ReadOnlySpan<byte> message) && (walId != last.Wal || logId > last.LogId)
                && TryParse(message, out Event? happening))
            {
                ledger.Add(node, happening, received);
                last = (walId, logId);
            }
        }

        // Of a log that is gone its numbers mean nothing.
        LastLogId = last.Wal == _walId ? last.LogId : 0;
        UnreadRecords = (long)reader.LostRecords;
    }

    private static bool TryParse(ReadOnlySpan<byte> message, [NotNullWhen(true)] out Event? happening)
    {
        happening = null;
        try
        {
            happening = Event.Parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            // A later version wrote it, or damage that no checksum saw; the others are none the worse.
            return false;
        }

        return true;
    }
}
