using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using NodeAgent.Commands.Audit;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;
using NodeAgent.Tsdb.Backup;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>
/// What people had sent and what came of it, in a chain of hashes: journal and audit are one, so nothing that was sent can be missing from
/// the audit. Each record is synced before anything follows from it. One writer at a time (the desk's lock).
/// </summary>
internal sealed class CommandJournal : IDisposable
{
    private const byte RecordType = 2;

    /// <summary>Beyond this, what no open rollout needs is let go of, behind a checkpoint: some hundred thousand commands.</summary>
    internal const long CompactBytes = 256L << 20;

    private readonly AuditChain _chain;
    private readonly TimeProvider _time;

    private CommandJournal(AuditChain chain, TimeProvider time) => (_chain, _time) = (chain, time);

    internal AuditReport Opening => _chain.Opening;

    internal long LostRecords => (long)_chain.Recovery.LostRecords;

    internal AuditHead Head => _chain.DurableHead;

    internal Guid Owner => _chain.Owner;

    internal long DiskBytes => _chain.DiskBytes;

    /// <summary>For a backup.</summary>
    internal DurableLog Log => _chain.Log;

    internal static JournalOptions OptionsIn(string stateDirectory) => new()
    {
        Directory = Path.Combine(stateDirectory, StateRooms.Commands),
        Commit = CommitPolicy.None,
        MaxRecordBytes = 16 << 20, // a rollout with all its envelopes is one record
        MaxPendingBytes = 32 << 20,
        SegmentBytes = 32 << 20,
    };

    /// <summary>Opens the journal and shows every record that can be read.</summary>
    internal static bool TryOpen(
        JournalOptions options, Guid owner, IFileOps files, TimeProvider time, Action<ulong, CommandBookRecord> found,
        [NotNullWhen(true)] out CommandJournal? journal, out long unreadable, [NotNullWhen(false)] out OpenError? error)
    {
        long unread = 0;
        bool isOpen = AuditChain.TryOpen(
            owner, options, files, time,
            (index, type, bytes) =>
            {
                if (type == RecordType && TryDecode(bytes, out CommandBookRecord? record))
                {
                    found(index, record);
                }
                else
                {
                    unread++;
                }
            },
            out AuditChain? chain, out error);
        unreadable = unread;
        journal = isOpen ? new CommandJournal(chain!, time) : null;
        return isOpen;
    }

    /// <summary>Writes a record. Its index; 0: it is not on the disk, and nothing may follow from it.</summary>
    internal ulong Append(CommandBookRecord record)
    {
        record.WallUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _chain.Append(RecordType, record.ToByteArray()) == AuditAppend.Durable ? _chain.DurableHead.Index : 0;
    }

    /// <summary>Lets go of everything before a record.</summary>
    internal bool ReleaseBefore(ulong index) => index > 1 && _chain.Release(index - 1);

    /// <summary>Shows the records as they lie on the disk, until one is refused.</summary>
    internal void ReadLinks(ulong fromIndex, AuditLinkFound found) => _chain.ReadLinks(fromIndex, found);

    public void Dispose() => _chain.Dispose();

    private static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CommandBookRecord? record)
    {
        record = null;
        try
        {
            record = CommandBookRecord.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            // Counted by the caller and said at the start: a later version wrote it.
            return false;
        }
    }
}
