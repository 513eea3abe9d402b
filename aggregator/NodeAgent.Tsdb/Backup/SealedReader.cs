using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// Reads a sealed file at any place; what does not verify is never given out. Keeps one chunk open. Thread-safe by a lock: a check is
/// the only reader.
/// </summary>
internal sealed class SealedReader : IDisposable
{
    private const int MaxReadAttempts = 2; // a read that went astray goes to the right place the second time

    private readonly IFileOps _files;
    private readonly long _handle;
    private readonly SealedHeader _header;
    private readonly byte[] _sealed;
    private readonly byte[] _plain;
    private readonly Lock _lock = new();
    private long _chunk = -1;

    private SealedReader(IFileOps files, string path, long handle, SealedHeader header, long fileBytes)
    {
        _files = files;
        Path = path;
        _handle = handle;
        _header = header;
        FileBytes = fileBytes;
        long body = fileBytes - SealedHeader.Bytes;
        long whole = header.Chunk + SealedHeader.TagBytes;
        Chunks = (body + whole - 1) / whole;
        Length = body - (Chunks * SealedHeader.TagBytes);
        _sealed = new byte[whole];
        _plain = new byte[header.Chunk];
    }

    public string Path { get; }

    public long FileBytes { get; }

    /// <summary>Plain bytes.</summary>
    public long Length { get; }

    public long Chunks { get; }

    /// <exception cref="BackupException">It cannot be opened, is no sealed file, or the key does not fit.</exception>
    public static SealedReader Open(IFileOps files, string path, BackupKey? key)
    {
        IoResult opened = files.OpenRetrying(path, FileOpenMode.Read);
        if (!opened.Ok)
        {
            throw opened.Errno == Errno.NoEntry
                ? new BackupException(BackupFailure.NotABackup, $"{path} does not exist")
                : BackupException.Disk("open", path, opened.Errno);
        }

        try
        {
            byte[] bytes = new byte[SealedHeader.Bytes];
            IoResult length = files.Length(opened.Value);
            IoResult read = length.Ok ? files.ReadAll(opened.Value, bytes, 0) : length;
            if (!read.Ok)
            {
                throw BackupException.Disk("read", path, read.Errno);
            }

            SealedHeader header = SealedHeader.Read(bytes.AsSpan(0, (int)read.Value), key, path);
            long tail = (length.Value - SealedHeader.Bytes) % (header.Chunk + SealedHeader.TagBytes);
            if (length.Value < SealedHeader.Bytes + SealedHeader.TagBytes || tail is > 0 and < SealedHeader.TagBytes)
            {
                header.Dispose();
                throw new BackupException(BackupFailure.Damaged, $"{path}: the file ends at byte {length.Value}, within a chunk; its end is missing");
            }

            return new SealedReader(files, path, opened.Value, header, length.Value);
        }
        catch
        {
            files.Close(opened.Value);
            throw;
        }
    }

    /// <summary>Where a chunk begins in the file.</summary>
    public long OffsetOf(long chunk) => SealedHeader.Bytes + (chunk * (_header.Chunk + SealedHeader.TagBytes));

    /// <summary>Which chunk has a plain byte.</summary>
    public long ChunkOf(long offset) => offset / _header.Chunk;

    /// <summary>Reads plain bytes; fewer only at the end. EIO: a chunk on the way does not verify.</summary>
    public IoResult Read(Span<byte> into, long offset)
    {
        lock (_lock)
        {
            int done = 0;
            while (done < into.Length && offset + done < Length)
            {
                long chunk = ChunkOf(offset + done);
                IoResult opened = OpenNeedsLock(chunk);
                if (!opened.Ok)
                {
                    return opened;
                }

                int from = (int)(offset + done - (chunk * _header.Chunk));
                int count = Math.Min(into.Length - done, (int)opened.Value - from);
                _plain.AsSpan(from, count).CopyTo(into[done..]);
                done += count;
            }

            return IoResult.Done(done);
        }
    }

    /// <summary>Whether a chunk is what was sealed. EIO: not.</summary>
    public IoResult Check(long chunk)
    {
        lock (_lock)
        {
            return OpenNeedsLock(chunk);
        }
    }

    public void Dispose()
    {
        _files.Close(_handle);
        _header.Dispose();
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(_plain);
    }

    /// <summary>Value: plain bytes in the chunk.</summary>
    private IoResult OpenNeedsLock(long chunk)
    {
        bool isLast = chunk == Chunks - 1;
        int count = isLast ? (int)(Length - (chunk * _header.Chunk)) : _header.Chunk;
        if (chunk == _chunk)
        {
            return IoResult.Done(count);
        }

        _chunk = -1;
        Span<byte> bytes = _sealed.AsSpan(0, count + SealedHeader.TagBytes);
        for (int attempt = 0; attempt < MaxReadAttempts; attempt++)
        {
            IoResult read = _files.ReadAll(_handle, bytes, OffsetOf(chunk));
            if (!read.Ok)
            {
                return read;
            }

            if (read.Value == bytes.Length && _header.TryOpen(chunk, isLast, bytes[..count], bytes[count..], _plain.AsSpan(0, count)))
            {
                _chunk = chunk;
                return IoResult.Done(count);
            }
        }

        return IoResult.Fail(Errno.InputOutput);
    }
}
