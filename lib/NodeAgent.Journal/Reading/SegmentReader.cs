using NodeAgent.Journal.Files;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Reading;

/// <summary>Where a reader meets harm; null where nobody wants to know.</summary>
internal delegate void DamageFound(DamageKind kind, long offset, long bytes);

/// <summary>
/// Reads the records of one segment file in order, past any damage. Trusts nothing that does not verify and joins no pieces that do not
/// belong together. Owns its buffers; allocates only while they grow.
/// </summary>
internal sealed class SegmentReader(IFileOps files, DamageFound? damageFound = null)
{
    // A disk may need to remap a sector or a path to fail over; what still fails then is an error.
    private const int MaxReadAttempts = 3;

    private readonly byte[] _block = new byte[SegmentFormat.BlockBytes];
    private byte[] _record = [];
    private long _handle = IFileOps.NoHandle;
    private ulong _number;
    private Guid _journalId;
    private long _length;
    private uint _blockIndex;
    private int _blockLength;
    private BlockHeader _header;
    private uint _key;
    private int _offset;
    private bool _loaded;
    private bool _blockValid;
    private bool _blockConfirmed;
    private ulong _loadedVersion;
    private ulong _assemblingId;
    private int _assembledBytes;
    private int _payloadStart;
    private int _payloadBytes;
    private bool _payloadInBlock;

    public bool IsOpen => _handle != IFileOps.NoHandle;

    public ulong Id { get; private set; }

    public byte Type { get; private set; }

    public ReadOnlySpan<byte> Payload =>
        _payloadInBlock ? _block.AsSpan(_payloadStart, _payloadBytes) : _record.AsSpan(0, _payloadBytes);

    /// <summary>Why the last <see cref="TryRead"/> could not go on; null when it merely met the end.</summary>
    public IoResult? Error { get; private set; }

    /// <summary>Pass over the next block that cannot be read, once.</summary>
    public bool SkipUnreadable { get; set; }

    /// <summary>The offset behind the last whole record, or behind the last block header if that is later.</summary>
    public long ValidEnd { get; private set; }

    /// <summary>The file's length when it was last looked at.</summary>
    public long FileLength => _length;

    public IoResult Open(string path, ulong number, Guid journalId)
    {
        IoResult opened = files.OpenRetrying(path, FileOpenMode.Read);
        if (!opened.Ok) return opened;
        IoResult length = files.Length(opened.Value);
        if (!length.Ok)
        {
            files.Close(opened.Value);
            return length;
        }

        _handle = opened.Value;
        _length = length.Value;
        _number = number;
        _journalId = journalId;
        _header = default;
        Error = null;
        ValidEnd = 0;
        MoveTo(0);
        return opened;
    }

    public void Close()
    {
        // Nothing was written through it, so a failing close has nothing to tell.
        if (IsOpen) files.Close(_handle);
        _handle = IFileOps.NoHandle;
    }

    /// <summary>Goes on with the last block that begins at or before the record, as far as block headers tell.</summary>
    public void Seek(ulong id)
    {
        uint best = 0;
        for (uint index = 0; index * (long)SegmentFormat.BlockBytes < _length; index++)
        {
            Span<byte> bytes = _block.AsSpan(0, BlockHeader.Bytes);
            IoResult read = files.ReadAll(_handle, bytes, index * (long)SegmentFormat.BlockBytes);
            if (!read.Ok || BlockHeader.Read(bytes[..(int)read.Value], out BlockHeader header, out _) != BlockHeaderCheck.Valid) continue;
            if (header.FirstRecordId > id) break;
            best = index;
        }

        MoveTo(best);
    }

    /// <summary>The next whole record, or false at the end of what there is.</summary>
    /// <param name="version">
    /// Changes when more was written. At what looks like an end or damage, a block that was read under an older version is read again first.
    /// </param>
    public bool TryRead(ulong version)
    {
        Error = null;
        while (true)
        {
            if (!_loaded && !TryLoad(version)) return false;
            if (_blockValid && TryReadInBlock()) return true;

            // What looks like harm may be a read that went astray: it is believed when a second one shows the same.
            if (_loadedVersion != version || (!_blockConfirmed && IsDamagedHere()))
            {
                _blockConfirmed = _loadedVersion == version;
                if (!TryReload(version)) return false;
                continue;
            }

            if (!TryLeaveBlock()) return false;
        }
    }

    private bool TryReadInBlock()
    {
        while (true)
        {
            if (Fragment.Read(Bytes, _key, _offset, out Fragment fragment) != FragmentCheck.Valid) return false;
            _offset = fragment.EndOffset;
            if (TryTake(fragment)) return true;
        }
    }

    private ReadOnlySpan<byte> Bytes => _block.AsSpan(0, _blockLength);

    private bool TryTake(in Fragment fragment)
    {
        ulong id = fragment.RecordId(_header);
        if (fragment is { IsFirst: true, IsLast: true })
        {
            _assemblingId = 0;
            _payloadInBlock = true;
            _payloadStart = fragment.PayloadOffset;
            return Take(id, fragment.Type, fragment.PayloadBytes);
        }

        if (fragment.IsFirst) (_assemblingId, _assembledBytes) = (id, 0);
        else if (_assemblingId != id) return false; // its beginning is lost, so this is of no use

        Gather(fragment);
        if (!fragment.IsLast) return false;
        _assemblingId = 0;
        _payloadInBlock = false;
        return Take(id, fragment.Type, _assembledBytes);
    }

    private bool Take(ulong id, byte type, int payloadBytes)
    {
        Id = id;
        Type = type;
        _payloadBytes = payloadBytes;
        ValidEnd = BlockStart + _offset;
        return true;
    }

    private void Gather(in Fragment fragment)
    {
        int needed = _assembledBytes + fragment.PayloadBytes;
        if (_record.Length < needed) Array.Resize(ref _record, Math.Max(needed, 2 * _record.Length));
        _block.AsSpan(fragment.PayloadOffset, fragment.PayloadBytes).CopyTo(_record.AsSpan(_assembledBytes));
        _assembledBytes = needed;
    }

    /// <summary>Behind the last fragment that can be read in a row: on within the block, or to the next one, or nowhere.</summary>
    private bool TryLeaveBlock()
    {
        if (_blockValid)
        {
            if (IsDamagedHere())
            {
                _assemblingId = 0;
                bool found = Fragment.TryFind(Bytes, _key, _offset, out Fragment next);
                int end = found ? next.Offset : _blockLength;
                damageFound?.Invoke(DamageKind.CorruptBytes, BlockStart + _offset, end - _offset);
                if (found)
                {
                    _offset = end;
                    return true;
                }
            }

            // The pieces of a record fill their blocks to the end; where one does not, the next piece is not its.
            if (_offset != SegmentFormat.BlockBytes) _assemblingId = 0;
        }
        else if (IsDamagedHere())
        {
            damageFound?.Invoke(DamageKind.CorruptBlock, BlockStart, _blockLength);
        }

        if (BlockStart + SegmentFormat.BlockBytes >= _length) return false;
        MoveTo(_blockIndex + 1);
        return true;
    }

    private bool IsDamagedHere() => _blockValid
        ? Fragment.Read(Bytes, _key, _offset, out _) == FragmentCheck.Damaged
        : Bytes.ContainsAnyExcept((byte)0);

    private long BlockStart => (long)_blockIndex * SegmentFormat.BlockBytes;

    private void MoveTo(uint block)
    {
        _blockIndex = block;
        _offset = BlockHeader.Bytes;
        _loaded = false;
        _blockConfirmed = false;
        if (block == 0) _assemblingId = 0;
    }

    private bool TryReload(ulong version)
    {
        IoResult length = files.Length(_handle);
        if (length.Ok) _length = length.Value;
        int offset = _offset;
        bool loaded = TryLoad(version);
        _offset = offset;
        return loaded;
    }

    /// <summary>False: there is no such block, or <see cref="Error"/> says why it cannot be read.</summary>
    private bool TryLoad(ulong version)
    {
        _loadedVersion = version;
        _loaded = true;
        _blockValid = false;
        _blockLength = 0;
        long start = BlockStart;
        if (start >= _length) return false;

        IoResult read = default;
        for (int attempt = 0; attempt < MaxReadAttempts; attempt++)
        {
            read = files.ReadAll(_handle, _block, start);
            if (read.Ok) break;
        }

        if (!read.Ok) return IsReadableElsewhere(read);
        _blockLength = (int)read.Value;
        Identify();
        return true;
    }

    private void Identify()
    {
        _blockValid = BlockHeader.Read(Bytes, out BlockHeader header, out uint key) == BlockHeaderCheck.Valid
            && header.SegmentNumber == _number && header.BlockIndex == _blockIndex && header.JournalId == _journalId;
        if (!_blockValid)
        {
            _assemblingId = 0;
            return;
        }

        (_header, _key) = (header, key);
        // Not in the middle of a record: if that never ends, the cut goes before its beginning.
        if (_assemblingId == 0) ValidEnd = Math.Max(ValidEnd, BlockStart + BlockHeader.Bytes);
    }

    // Whoever looks for damage goes on behind the block. A reader of records stops: a disk that is away may come back, with all of them.
    private bool IsReadableElsewhere(IoResult failed)
    {
        if (damageFound is null && !SkipUnreadable)
        {
            Error = failed;
            _loaded = false;
            return false;
        }

        SkipUnreadable = false;
        _assemblingId = 0;
        damageFound?.Invoke(DamageKind.Unreadable, BlockStart, Math.Min(SegmentFormat.BlockBytes, _length - BlockStart));
        return true;
    }
}
