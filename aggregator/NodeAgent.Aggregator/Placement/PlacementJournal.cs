using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Placement;

/// <summary>
/// Every call that can change a decision, and what it came to, on disk. One writer at a time (the desk's lock). What an answer depends on is
/// synced by <see cref="Commit"/> before the answer goes out; the rest follows within a second.
/// </summary>
internal sealed class PlacementJournal : IDisposable
{
    // Below the journal's bound for what is not durable yet (8 MiB): a chapter of a large fleet is committed on the way.
    private const long CommitEveryBytes = 2 << 20;

    private readonly DurableLog _log;
    private long _uncommitted;

    private PlacementJournal(DurableLog log) => _log = log;

    internal RecoveryReport Recovery => _log.Recovery;

    /// <summary>Records since the present chapter was opened.</summary>
    internal long RecordsInChapter { get; private set; }

    /// <summary>For a backup.</summary>
    internal DurableLog Log => _log;

    internal JournalStatus Status() => _log.Status();

    internal static JournalOptions OptionsIn(string stateDirectory) => new()
    {
        Directory = Path.Combine(stateDirectory, StateRooms.Placement),
        Commit = CommitPolicy.Interval(TimeSpan.FromSeconds(1), CommitEveryBytes),
    };

    /// <summary>Opens the journal and shows the replay every record that can be read.</summary>
    internal static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, PlacementReplay replay,
        [NotNullWhen(true)] out PlacementJournal? journal, [NotNullWhen(false)] out OpenError? error)
    {
        long records = 0;
        bool isOpen = DurableLog.TryOpen(options, files, time, record =>
        {
            records++;
            replay.Take(record.Type, record.Payload);
        }, out DurableLog? log, out error);
        journal = isOpen ? new PlacementJournal(log!) { RecordsInChapter = records } : null;
        return isOpen;
    }

    /// <summary>Takes a record into memory.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="PlacementJournalException">It was not taken: the disk fails and memory is full, or it is too large.</exception>
    internal ulong Append<T>(PlacementRecordKind kind, T record)
    {
        byte[] payload = PlacementRecord.Write(record);
        AppendResult result = _log.TryAppend((byte)kind, payload);
        if (!result.IsTaken)
        {
            throw new PlacementJournalException($"the placement journal does not take a record of {payload.Length} bytes ({result.Outcome}): {_log.Status().Error?.ToString() ?? "no disk error"}");
        }

        RecordsInChapter++;
        _uncommitted += payload.Length;
        if (_uncommitted > CommitEveryBytes)
        {
            Commit();
        }

        return result.Id;
    }

    /// <summary>What was appended is on the disk when this returns.</summary>
    /// <exception cref="PlacementJournalException">The disk fails. It stays in memory and is written as soon as the disk works.</exception>
    internal void Commit()
    {
        if (_log.Commit() != CommitOutcome.Done)
        {
            throw new PlacementJournalException($"the placement journal cannot be synced: {_log.Status().Error?.ToString() ?? "closed"}");
        }

        _uncommitted = 0;
    }

    /// <summary>The chapter that begins with this record is whole and durable: nobody needs what is before it.</summary>
    internal void ChapterOpened(ulong begin)
    {
        RecordsInChapter = 0;
        if (begin > 1)
        {
            _log.ReleaseUpTo(begin - 1);
        }
    }

    public void Dispose() => _log.Dispose();
}

/// <summary>The journal's disk fails.</summary>
internal sealed class PlacementJournalException(string message) : Exception(message);
