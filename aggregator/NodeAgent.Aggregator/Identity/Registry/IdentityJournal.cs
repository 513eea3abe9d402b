using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Identity.Registry;

/// <summary>
/// The registry on disk. Each record is the whole of one token or member as it is from then on, so the newest of each counts, and writing
/// all of them again makes everything before superfluous.
/// </summary>
internal sealed class IdentityJournal : IDisposable
{
    // Below this many records nothing is worth tidying up: about a megabyte.
    private const long FewRecords = 1_024;

    private readonly DurableLog _log;
    private long _records;

    private IdentityJournal(DurableLog log, long records) => (_log, _records) = (log, records);

    internal RecoveryReport Recovery => _log.Recovery;

    /// <summary>For a backup.</summary>
    internal DurableLog Log => _log;

    internal static JournalOptions OptionsIn(string stateDirectory) => new()
    {
        Directory = Path.Combine(stateDirectory, StateRooms.Identity),
        SegmentBytes = 1L << 20, // freed in this unit; a fleet of 10,000 makes some 20 MiB a day
        Commit = CommitPolicy.Interval(TimeSpan.FromSeconds(1), 1L << 20),
    };

    /// <summary>Opens the journal and shows every record that can be read.</summary>
    internal static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, Action<IdentityRecordKind, byte[]> found,
        [NotNullWhen(true)] out IdentityJournal? journal, [NotNullWhen(false)] out OpenError? error)
    {
        long records = 0;
        bool isOpen = DurableLog.TryOpen(options, files, time, record =>
        {
            records++;
            found((IdentityRecordKind)record.Type, record.Payload.ToArray());
        }, out DurableLog? log, out error);
        journal = isOpen ? new IdentityJournal(log!, records) : null;
        return isOpen;
    }

    /// <summary>Takes a record into memory; it is on the disk after <see cref="Commit"/>, or within about a second.</summary>
    /// <exception cref="IdentityJournalException">It was not taken: the disk fails and memory is full.</exception>
    internal void Append(IdentityRecordKind kind, byte[] payload)
    {
        AppendResult result = _log.TryAppend((byte)kind, payload);
        if (!result.IsTaken)
        {
            throw new IdentityJournalException($"the identity journal takes nothing ({result.Outcome}): {_log.Status().Error?.ToString() ?? "no disk error"}");
        }

        Interlocked.Increment(ref _records);
    }

    /// <summary>What was appended is on the disk when this returns.</summary>
    /// <exception cref="IdentityJournalException">The disk fails. It stays in memory and is written as soon as the disk works.</exception>
    internal void Commit()
    {
        if (_log.Commit() != CommitOutcome.Done)
        {
            throw new IdentityJournalException($"the identity journal cannot be synced: {_log.Status().Error?.ToString() ?? "closed"}");
        }
    }

    /// <summary>Whether most of what is on the disk is superseded.</summary>
    internal bool IsUntidy(int live) => Interlocked.Read(ref _records) > FewRecords + (4L * live);

    /// <summary>Writes everything that counts again, and lets go of what was before. The caller keeps everybody else away meanwhile.</summary>
    /// <exception cref="IdentityJournalException">The disk fails; everything is as before.</exception>
    internal void Rewrite(IEnumerable<(IdentityRecordKind Kind, byte[] Payload)> all)
    {
        ulong before = _log.Status().NextId - 1;
        long written = 0;
        foreach ((IdentityRecordKind kind, byte[] payload) in all)
        {
            Append(kind, payload);
            if (++written % 1_000 == 0)
            {
                Commit(); // the journal keeps a bound on what is not durable
            }
        }

        Commit();
        _log.ReleaseUpTo(before);
        Interlocked.Exchange(ref _records, written);
    }

    public void Dispose() => _log.Dispose();
}

/// <summary>The registry's disk fails: nothing may be promised.</summary>
internal sealed class IdentityJournalException(string message) : Exception(message);
