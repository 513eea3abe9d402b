using NodeAgent.Journal.Files;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Recovery;

/// <summary>What a file with a segment's name contains, by its block headers alone.</summary>
internal sealed record SegmentCandidate(string Name, string Path)
{
    /// <summary>No block header verifies.</summary>
    public bool IsNameless => BlockCount == 0 && !IsNewer;

    /// <summary>Nameless, but the disk refused to give at least one of its blocks: what is in it is not known yet.</summary>
    public bool IsUnreadable => IsNameless && !_refused.Ok;

    /// <summary>A block was written by a later version.</summary>
    public bool IsNewer { get; private set; }

    public Guid JournalId { get; private set; }

    public ulong Number { get; private set; }

    /// <summary>The first record id of its first valid block.</summary>
    public ulong FirstId { get; private set; }

    /// <summary>The highest floor of its blocks.</summary>
    public ulong Floor { get; private set; }

    public uint WrittenUnixSeconds { get; private set; }

    public long Bytes { get; private set; }

    private int BlockCount { get; set; }

    private IoResult _refused = IoResult.Done();

    /// <summary>Reads all block headers. A block that cannot be read is passed over; a file that cannot be opened is an error.</summary>
    public static IoResult Inspect(IFileOps files, string directory, string name, out SegmentCandidate candidate)
    {
        candidate = new SegmentCandidate(name, System.IO.Path.Combine(directory, name));
        IoResult opened = files.OpenRetrying(candidate.Path, FileOpenMode.Read);
        if (!opened.Ok) return opened;

        IoResult length = files.Length(opened.Value);
        if (length.Ok) candidate.InspectBlocks(files, opened.Value, length.Value);
        files.Close(opened.Value);
        return length;
    }

    private void InspectBlocks(IFileOps files, long handle, long length)
    {
        Bytes = length;
        Span<byte> bytes = stackalloc byte[BlockHeader.Bytes];
        for (long offset = 0; offset < length; offset += SegmentFormat.BlockBytes)
        {
            // A read may fail or go astray once; only twice the same is a finding.
            BlockHeaderCheck check = Read(files, handle, offset, bytes, out BlockHeader header);
            if (check == BlockHeaderCheck.Invalid) check = Read(files, handle, offset, bytes, out header);
            if (check == BlockHeaderCheck.NewerVersion) IsNewer = true;
            if (check == BlockHeaderCheck.Valid) Add(header);
        }
    }

    private BlockHeaderCheck Read(IFileOps files, long handle, long offset, Span<byte> bytes, out BlockHeader header)
    {
        IoResult read = files.ReadAll(handle, bytes, offset);
        if (!read.Ok)
        {
            _refused = read;
            header = default;
            return BlockHeaderCheck.Invalid;
        }

        BlockHeaderCheck check = BlockHeader.Read(bytes[..(int)read.Value], out header, out _);
        bool isElsewhere = check == BlockHeaderCheck.Valid && header.BlockIndex != offset / SegmentFormat.BlockBytes;
        return isElsewhere ? BlockHeaderCheck.Invalid : check;
    }

    private void Add(in BlockHeader header)
    {
        if (BlockCount++ == 0) (JournalId, Number, FirstId) = (header.JournalId, header.SegmentNumber, header.FirstRecordId);
        if (header.JournalId != JournalId || header.SegmentNumber != Number) return; // a stray block; the scan meets it as damage
        Floor = Math.Max(Floor, header.Floor);
        WrittenUnixSeconds = header.WrittenUnixSeconds;
    }
}
