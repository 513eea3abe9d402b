using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Detection;

/// <summary>
/// Incidents, silences and verdicts on disk. One writer at a time (the desk's lock). What people said is synced before they are answered, the
/// rest within a second. A failing disk costs durability, never detection: what it did not take is written when the incident changes next, and
/// all of it when the journal is written anew.
/// </summary>
internal sealed class IncidentJournal : IDisposable
{
    private readonly DurableLog _log;

    private IncidentJournal(DurableLog log) => _log = log;

    /// <summary>For a backup.</summary>
    internal DurableLog Log => _log;

    internal RecoveryReport Recovery => _log.Recovery;

    /// <summary>Records since the journal was written anew.</summary>
    internal long Records { get; private set; }

    /// <summary>Records that found no room because the disk fails.</summary>
    internal long Lost { get; private set; }

    internal bool IsHealthy => _log.Status().Error is null;

    internal static JournalOptions OptionsIn(string stateDirectory) => new()
    {
        Directory = Path.Combine(stateDirectory, StateRooms.Incidents),
        SegmentBytes = 4 << 20,
        Commit = CommitPolicy.Interval(TimeSpan.FromSeconds(1), 1 << 20),

        // Damage costs the memory of some incidents, which are found again; going on is better than standing still.
        Foreign = ForeignSegments.SetAside,
    };

    internal static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, IncidentReplay replay,
        [NotNullWhen(true)] out IncidentJournal? journal, [NotNullWhen(false)] out OpenError? error)
    {
        long records = 0;
        bool isOpen = DurableLog.TryOpen(options, files, time, record =>
        {
            records++;
            replay.Take(record.Type, record.Payload);
        }, out DurableLog? log, out error);
        journal = isOpen ? new IncidentJournal(log!) { Records = records } : null;
        return isOpen;
    }

    /// <summary>Takes a record into memory. 0: the disk fails and memory is full.</summary>
    internal ulong Append<T>(IncidentRecordKind kind, T record)
    {
        AppendResult result = _log.TryAppend((byte)kind, IncidentRecord.Write(record));
        if (!result.IsTaken)
        {
            Lost++;
            return 0;
        }

        Records++;
        return result.Id;
    }

    /// <summary>What was appended is on the disk. False: the disk fails; it is written when it works again.</summary>
    internal bool Commit() => _log.Commit() == CommitOutcome.Done;

    /// <summary>All there is to know follows from this record on: nobody needs what is before it.</summary>
    internal void BeginsAnewAt(ulong first, long records)
    {
        Records = records;
        if (first > 1)
        {
            _log.ReleaseUpTo(first - 1);
        }
    }

    public void Dispose() => _log.Dispose();
}
