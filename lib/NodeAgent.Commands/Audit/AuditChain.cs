using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Commands.Audit;

/// <summary>Is shown a record's type and bytes, without the chain's header.</summary>
public delegate void AuditRecordFound(ulong index, byte type, ReadOnlySpan<byte> record);

/// <summary>Is shown a record with the chain's header: previous hash, hash, record. False: no more.</summary>
public delegate bool AuditLinkFound(ulong index, byte type, ReadOnlySpan<byte> link);

/// <summary>What became of a record that was to be appended.</summary>
public enum AuditAppend
{
    /// <summary>On the disk, and part of the chain.</summary>
    Durable = 0,

    /// <summary>Part of the chain in memory; the disk fails. It becomes durable if the disk heals before the process ends.</summary>
    InMemory = 1,

    /// <summary>Not taken.</summary>
    Refused = 2,
}

/// <summary>
/// Records in a chain of hashes, on the durable log: each contains the hash of the one before it, so none can be altered, put in or taken
/// out without all behind it changing. One thread at a time.
/// <para>
/// It proves nothing against somebody who can write the files and has every head: such a person can write a new history. It proves
/// everything against a head that they cannot reach.
/// </para>
/// </summary>
public sealed class AuditChain : IDisposable
{
    /// <summary>Types from here on belong to the chain.</summary>
    public const byte FirstReservedType = AuditLink.ReleaseType;

    private readonly DurableLog _log;
    private readonly Guid _owner;
    private byte[] _hash;
    private ulong _index;

    private AuditChain(DurableLog log, Guid owner, AuditReport opening)
    {
        _log = log;
        _owner = owner;
        Opening = opening;
        _hash = Convert.FromHexString(opening.Head.Hash);
        _index = opening.Head.Index;
        DurableHead = opening.Head;
    }

    /// <summary>Whose chain it is.</summary>
    public Guid Owner => _owner;

    /// <summary>For a backup.</summary>
    public DurableLog Log => _log;

    /// <summary>What was found at opening, without heads held elsewhere.</summary>
    public AuditReport Opening { get; }

    /// <summary>The end of what is on the disk: the head to hand out.</summary>
    public AuditHead DurableHead { get; private set; }

    public RecoveryReport Recovery => _log.Recovery;

    public long DiskBytes => _log.Status().DiskBytes;

    /// <summary>Opens the chain or makes it, and shows every record.</summary>
    /// <param name="owner">Whose chain it is; part of the first hash.</param>
    /// <param name="options">How the journal is kept. Commit policy and limits must be none: the chain commits itself, and only a release may free records.</param>
    /// <param name="files">The file calls.</param>
    /// <param name="time">The clock.</param>
    /// <param name="found">Called for each record, in order.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="error">Why there is none.</param>
    public static bool TryOpen(
        Guid owner, JournalOptions options, IFileOps files, TimeProvider time, AuditRecordFound found,
        [NotNullWhen(true)] out AuditChain? chain, [NotNullWhen(false)] out OpenError? error)
    {
        if (options.MaxBytes is not null || options.MaxAge is not null) throw new ArgumentException("an audit forgets nothing by size or age", nameof(options));
        chain = null;
        AuditWalk walk = new(owner);
        bool opened = DurableLog.TryOpen(
            options, files, time,
            record =>
            {
                walk.Add(record.Id, record.Type, record.Payload);
                if (record.Type < FirstReservedType && record.Payload.Length >= AuditLink.HeaderBytes)
                {
                    found(record.Id, record.Type, record.Payload[AuditLink.HeaderBytes..]);
                }
            },
            out DurableLog? log, out error);
        if (opened) chain = new AuditChain(log!, owner, walk.Finish());
        return opened;
    }

    /// <summary>Appends a record and syncs it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A type of the chain's own.</exception>
    public AuditAppend Append(byte type, ReadOnlySpan<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(type, FirstReservedType);
        return AppendAny(type, record);
    }

    /// <summary>
    /// Frees the records up to an index, after noting in the chain that they may be missing from now on. False: the disk fails, and nothing
    /// was freed.
    /// </summary>
    public bool Release(ulong through)
    {
        if (through == 0 || through > DurableHead.Index) return false;
        if (HashOf(through) is not { } hash) return false;
        if (AppendAny(AuditLink.ReleaseType, AuditLink.EncodeRelease(through, hash)) != AuditAppend.Durable) return false;
        _log.ReleaseUpTo(through);
        return true;
    }

    /// <summary>Reads everything from the disk again and checks it.</summary>
    /// <param name="heads">Heads that somebody else held.</param>
    public AuditReport Verify(IEnumerable<AuditHead>? heads = null)
    {
        AuditWalk walk = new(_owner, heads);
        using JournalReader reader = _log.OpenReader(1);
        while (reader.TryRead(out JournalRecord record)) walk.Add(record.Id, record.Type, record.Payload);
        return walk.Finish();
    }

    /// <summary>Shows the durable records from an index on; the record is valid until the call returns.</summary>
    public void Read(ulong fromIndex, AuditRecordFound found)
    {
        using JournalReader reader = _log.OpenReader(Math.Max(1, fromIndex));
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Payload.Length >= AuditLink.HeaderBytes) found(record.Id, record.Type, record.Payload[AuditLink.HeaderBytes..]);
        }
    }

    /// <summary>
    /// Shows the durable records from an index on as they lie on the disk, for somebody else to verify, until one is refused; the link
    /// (<see cref="AuditLink"/>) is valid until the call returns.
    /// </summary>
    public void ReadLinks(ulong fromIndex, AuditLinkFound found)
    {
        using JournalReader reader = _log.OpenReader(Math.Max(1, fromIndex));
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Payload.Length >= AuditLink.HeaderBytes && !found(record.Id, record.Type, record.Payload)) return;
        }
    }

    /// <summary>Writes the durable records for somebody else to verify: <see cref="AuditExport"/>.</summary>
    public void Export(TextWriter into)
    {
        using JournalReader reader = _log.OpenReader(1);
        while (reader.TryRead(out JournalRecord record)) AuditExport.Write(into, record.Id, record.Type, record.Payload);
    }

    public void Dispose() => _log.Dispose();

    private AuditAppend AppendAny(byte type, ReadOnlySpan<byte> record)
    {
        ulong next = _log.Status().NextId;
        byte[] link = AuditLink.Encode(_hash, next, type, record);
        AppendResult appended = _log.TryAppend(type, link);
        if (!appended.IsTaken) return AuditAppend.Refused;
        if (appended.Id != next) throw new InvalidOperationException($"BUG: record {next} became {appended.Id}; somebody else writes this journal");

        _hash = link[AuditLink.HashBytes..AuditLink.HeaderBytes];
        _index = next;
        _log.Commit();
        if (_log.DurableId < next) return AuditAppend.InMemory;
        DurableHead = new AuditHead(_index, Convert.ToHexStringLower(_hash));
        return AuditAppend.Durable;
    }

    private byte[]? HashOf(ulong index)
    {
        using JournalReader reader = _log.OpenReader(index);
        return reader.TryRead(out JournalRecord record) && record.Id == index && record.Payload.Length >= AuditLink.HeaderBytes
            ? record.Payload.Slice(AuditLink.HashBytes, AuditLink.HashBytes).ToArray()
            : null;
    }
}
