using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>A record that was not stored, or not all of it, with the reason.</summary>
/// <param name="Node">Whose it is.</param>
/// <param name="Epoch">Its spool epoch.</param>
/// <param name="Sequence">Its sequence; 0: it has none, or none that could be read.</param>
/// <param name="ReceivedUnixMs">When it came, by the aggregator's clock.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Message">The encoded <c>AgentMessage</c>, its beginning where it is long.</param>
internal sealed record QuarantinedRecord(string Node, ulong Epoch, ulong Sequence, long ReceivedUnixMs, string Reason, byte[] Message);

/// <summary>
/// Keeps what was set aside, for people: nothing here is ever read back by the aggregator itself. A journal with a byte limit, written
/// with each commit; that it fails never holds up anything else.
/// </summary>
internal sealed class QuarantineLog : IDisposable
{
    /// <summary>Enough to see what it is; a poison of megabytes must not push out all others.</summary>
    internal const int MaxMessageBytes = 64 * 1024;

    private const byte RecordType = 1;
    private const byte Version = 1;

    private readonly DurableLog _log;
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _scratch = new();
    private long _lost;

    private QuarantineLog(DurableLog log) => _log = log;

    /// <summary>The journal itself, for a backup.</summary>
    internal DurableLog Log => _log;

    /// <summary>Records that could not even be kept here.</summary>
    internal long Lost => Interlocked.Read(ref _lost);

    internal static bool TryOpen(
        IngestOptions options, IFileOps files, TimeProvider time, [NotNullWhen(true)] out QuarantineLog? log, [NotNullWhen(false)] out OpenError? error)
    {
        bool isOpen = DurableLog.TryOpen(options.QuarantineJournal, files, time, out DurableLog? journal, out error);
        log = isOpen ? new QuarantineLog(journal!) : null;
        return isOpen;
    }

    internal void Add(string node, ulong epoch, ulong sequence, long receivedUnixMs, string reason, ReadOnlySpan<byte> message)
    {
        lock (_lock)
        {
            _scratch.ResetWrittenCount();
            _scratch.Write([Version]);
            WalFields.AddText(_scratch, node);
            WalFields.AddVarint(_scratch, epoch);
            WalFields.AddVarint(_scratch, sequence);
            WalFields.AddZigZag(_scratch, receivedUnixMs);
            WalFields.AddText(_scratch, reason);
            WalFields.AddBytes(_scratch, message[..Math.Min(message.Length, MaxMessageBytes)]);
            if (!_log.TryAppend(RecordType, _scratch.WrittenSpan).IsTaken)
            {
                Interlocked.Increment(ref _lost);
            }
        }
    }

    /// <summary>Makes durable what was added, if anything was: the agent will be told that it may forget it.</summary>
    internal void Commit() => _log.Commit();

    /// <summary>Records and bytes held.</summary>
    internal (long Records, long Bytes) Held()
    {
        JournalStatus status = _log.Status();
        return ((long)(status.NextId - status.FirstHeldId), status.DiskBytes);
    }

    /// <summary>What is held, oldest first.</summary>
    internal IEnumerable<QuarantinedRecord> ReadAll()
    {
        using JournalReader reader = _log.OpenReader(1, ReadLimit.Written);
        List<QuarantinedRecord> records = [];
        while (reader.TryRead(out JournalRecord record))
        {
            if (Read(record.Payload) is { } quarantined)
            {
                records.Add(quarantined);
            }
        }

        return records;
    }

    public void Dispose() => _log.Dispose();

    private static QuarantinedRecord? Read(ReadOnlySpan<byte> payload)
    {
        WalFields fields = new(payload);
        return fields.TryReadByte(out byte version) && version == Version
            && fields.TryReadText(out string node) && fields.TryReadVarint(out ulong epoch) && fields.TryReadVarint(out ulong sequence)
            && fields.TryReadZigZag(out long received) && fields.TryReadText(out string reason) && fields.TryReadBytes(out ReadOnlySpan<byte> message)
            ? new QuarantinedRecord(node, epoch, sequence, received, reason, message.ToArray())
            : null;
    }
}
