using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>
/// Lines that an engine refused as bad, for people: nothing here is sent again. Record type 1: version 1 (1 byte), time in Unix ms
/// (zigzag), reason (text), lines (bytes), as docs/formats/wal.md writes such fields. A journal with a byte limit; the oldest go first.
/// </summary>
internal sealed class DeadLetterLog : IDisposable
{
    private const byte RecordType = 1;
    private const byte Version = 1;
    private const int MaxPieceBytes = 1 << 20; // well below the journal's largest record

    private readonly DurableLog _log;
    private readonly ArrayBufferWriter<byte> _scratch = new();

    private DeadLetterLog(DurableLog log) => _log = log;

    /// <summary>The journal itself, for a backup.</summary>
    internal DurableLog Log => _log;

    internal static bool TryOpen(
        string directory, long maxBytes, IFileOps files, TimeProvider time, [NotNullWhen(true)] out DeadLetterLog? log, [NotNullWhen(false)] out OpenError? error)
    {
        JournalOptions options = new()
        {
            Directory = directory,
            SegmentBytes = Math.Clamp(maxBytes / 16 / 65_536 * 65_536, 131_072, 16 << 20),
            MaxBytes = Math.Max(maxBytes, 4 * 131_072),
            Commit = CommitPolicy.None,
            Foreign = ForeignSegments.SetAside,
        };
        bool isOpen = DurableLog.TryOpen(options, files, time, out DurableLog? journal, out error);
        log = isOpen ? new DeadLetterLog(journal!) : null;
        return isOpen;
    }

    /// <summary>Keeps lines, many of them in several records. False: the disk refuses.</summary>
    internal bool TryAdd(long unixMs, string reason, ReadOnlySpan<byte> lines)
    {
        bool isTaken = true;
        while (!lines.IsEmpty && isTaken)
        {
            ReadOnlySpan<byte> piece = lines[..Math.Min(lines.Length, MaxPieceBytes)];
            lines = lines[piece.Length..];
            _scratch.ResetWrittenCount();
            _scratch.Write([Version]);
            WalFields.AddZigZag(_scratch, unixMs);
            WalFields.AddText(_scratch, reason);
            WalFields.AddBytes(_scratch, piece);
            isTaken = _log.TryAppend(RecordType, _scratch.WrittenSpan).IsTaken && _log.Commit() == CommitOutcome.Done;
        }

        return isTaken;
    }

    public void Dispose() => _log.Dispose();
}
