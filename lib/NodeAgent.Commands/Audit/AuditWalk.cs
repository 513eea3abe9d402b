using System.Buffers.Binary;

namespace NodeAgent.Commands.Audit;

/// <summary>Checks a chain record by record, in order, in constant memory; the same for a journal and for an exported file.</summary>
public sealed class AuditWalk
{
    private const int MaxFindings = 1000;

    private readonly byte[] _previous;
    private readonly byte[] _computed = new byte[AuditLink.HashBytes];
    private readonly byte[] _firstPrevious = new byte[AuditLink.HashBytes];
    private readonly Dictionary<ulong, string> _heads = [];
    private readonly List<AuditFinding> _findings = [];
    private long _notListed;
    private ulong _records;
    private ulong _first;
    private ulong _last;
    private bool _frontExplained;

    /// <param name="owner">Whose chain it is to be.</param>
    /// <param name="heads">Heads that somebody else held.</param>
    public AuditWalk(Guid owner, IEnumerable<AuditHead>? heads = null)
    {
        _previous = AuditLink.Genesis(owner);
        foreach (AuditHead head in heads ?? [])
        {
            // Two heads of one index that differ cannot both be right.
            if (head.Index > 0 && !_heads.TryAdd(head.Index, head.Hash) && _heads[head.Index] != head.Hash) Add(AuditFindingKind.HeadDiffers, head.Index);
        }
    }

    public AuditHead Head => new(_last, Convert.ToHexStringLower(_previous));

    /// <summary>The next record.</summary>
    /// <param name="index">Its place in the chain.</param>
    /// <param name="type">Its type.</param>
    /// <param name="link">Header and record.</param>
    public void Add(ulong index, byte type, ReadOnlySpan<byte> link)
    {
        if (link.Length < AuditLink.HeaderBytes)
        {
            Add(AuditFindingKind.Unreadable, index);
            return;
        }

        ReadOnlySpan<byte> previous = link[..AuditLink.HashBytes];
        ReadOnlySpan<byte> hash = link.Slice(AuditLink.HashBytes, AuditLink.HashBytes);
        ReadOnlySpan<byte> record = link[AuditLink.HeaderBytes..];
        CheckPlace(index, previous);
        AuditLink.Hash(previous, index, type, record, _computed);
        if (!hash.SequenceEqual(_computed)) Add(AuditFindingKind.Altered, index);
        if (_heads.Remove(index, out string? held) && held != Convert.ToHexStringLower(_computed)) Add(AuditFindingKind.HeadDiffers, index);
        if (type == AuditLink.ReleaseType) TakeRelease(index, record);

        // What is there now is what the next one must follow: an altered record is found where it is, not in all behind it.
        hash.CopyTo(_previous);
        _last = index;
        _records++;
    }

    public AuditReport Finish()
    {
        if (_first > 1 && !_frontExplained) _findings.Insert(0, new AuditFinding(AuditFindingKind.MissingAtFront, 1, _first - 1));
        ulong? behind = _heads.Keys.Where(index => index > _last).Select(index => (ulong?)index).Max();
        if (behind is { } end) Add(AuditFindingKind.CutOff, _last + 1, end);
        return new AuditReport(_records, _first, Head, [.. _findings], _notListed);
    }

    private void CheckPlace(ulong index, ReadOnlySpan<byte> previous)
    {
        if (_records == 0 && _first == 0)
        {
            _first = index;
            previous.CopyTo(_firstPrevious);
            if (index == 1 && !previous.SequenceEqual(_previous)) Add(AuditFindingKind.NotLinked, index);
        }
        else if (index != _last + 1)
        {
            if (index > _last) Add(AuditFindingKind.Missing, _last + 1, index - 1);
            else Add(AuditFindingKind.NotLinked, index);
        }
        else if (!previous.SequenceEqual(_previous))
        {
            Add(AuditFindingKind.NotLinked, index);
        }
    }

    private void TakeRelease(ulong index, ReadOnlySpan<byte> record)
    {
        ulong through = record.Length == AuditLink.ReleaseBytes ? BinaryPrimitives.ReadUInt64LittleEndian(record) : ulong.MaxValue;
        if (through >= index)
        {
            Add(AuditFindingKind.Unreadable, index);
            return;
        }

        // Room is freed in segments, so some released records are often still there.
        if (through + 1 < _first) return;
        _frontExplained |= through + 1 > _first || record[sizeof(ulong)..].SequenceEqual(_firstPrevious);
    }

    private void Add(AuditFindingKind kind, ulong index) => Add(kind, index, index);

    private void Add(AuditFindingKind kind, ulong first, ulong last)
    {
        if (_findings.Count < MaxFindings) _findings.Add(new AuditFinding(kind, first, last));
        else _notListed++;
    }
}
