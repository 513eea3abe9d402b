using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>
/// How far the sink has come in the log, durable: a journal whose newest record counts. Record type 1: version 1 (1 byte), id of the log (16
/// bytes), record (8 bytes, little-endian), hash of the destination (8 bytes). Lost or of another log or destination, the sink begins with the oldest record
/// that the log has: engines take the same sample twice.
/// </summary>
internal sealed class SinkCursor : IDisposable
{
    private const byte RecordType = 1;
    private const byte Version = 1;
    private const int Bytes = 33;

    private readonly DurableLog _log;
    private readonly Guid _walId;
    private readonly ulong _destination;

    private SinkCursor(DurableLog log, Guid walId, ulong destination)
    {
        _log = log;
        _walId = walId;
        _destination = destination;
    }

    /// <summary>Records of the log up to this one are dealt with. What is written here is on the disk.</summary>
    internal ulong SentThrough { get; private set; }

    /// <summary>The journal itself, for a backup.</summary>
    internal DurableLog Log => _log;

    internal static bool TryOpen(
        string directory, Guid walId, ulong destination, IFileOps files, TimeProvider time,
        [NotNullWhen(true)] out SinkCursor? cursor, [NotNullWhen(false)] out OpenError? error)
    {
        JournalOptions options = new()
        {
            Directory = directory, SegmentBytes = 131_072, MaxBytes = 2 * 131_072, Commit = CommitPolicy.None, Foreign = ForeignSegments.SetAside,
        };
        bool isOpen = DurableLog.TryOpen(options, files, time, out DurableLog? log, out error);
        cursor = isOpen ? new SinkCursor(log!, walId, destination) : null;
        cursor?.ReadBack();
        return isOpen;
    }

    /// <summary>Notes a place. False: the disk refuses; after a restart the sink sends again what came since.</summary>
    internal bool TryAdvance(ulong sentThrough)
    {
        Span<byte> record = stackalloc byte[Bytes];
        record[0] = Version;
        _walId.TryWriteBytes(record[1..]);
        BinaryPrimitives.WriteUInt64LittleEndian(record[17..], sentThrough);
        BinaryPrimitives.WriteUInt64LittleEndian(record[25..], _destination);
        if (!_log.TryAppend(RecordType, record).IsTaken || _log.Commit() != CommitOutcome.Done)
        {
            return false;
        }

        SentThrough = sentThrough;
        return true;
    }

    public void Dispose() => _log.Dispose();

    private void ReadBack()
    {
        using JournalReader reader = _log.OpenReader(1);
        while (reader.TryRead(out JournalRecord record))
        {
            ReadOnlySpan<byte> payload = record.Payload;
            bool isOurs = record.Type == RecordType && payload.Length == Bytes && payload[0] == Version && new Guid(payload[1..17]) == _walId
                && BinaryPrimitives.ReadUInt64LittleEndian(payload[25..]) == _destination;
            SentThrough = isOurs ? BinaryPrimitives.ReadUInt64LittleEndian(payload[17..]) : 0;
        }
    }
}
