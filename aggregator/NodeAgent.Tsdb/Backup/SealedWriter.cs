using System.Security.Cryptography;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// Writes one sealed file from front to back. It is a sealed file only once <see cref="Finish"/> has written the last chunk and synced
/// it: before that, every reader finds the end missing. One thread.
/// </summary>
internal sealed class SealedWriter : IDisposable
{
    private readonly IFileOps _files;
    private readonly string _path;
    private readonly SealedHeader _header;
    private readonly byte[] _plain = new byte[SealedHeader.ChunkBytes];
    private readonly byte[] _sealed = new byte[SealedHeader.ChunkBytes + SealedHeader.TagBytes];
    private long _handle;
    private long _offset;
    private long _number;
    private int _used;

    private SealedWriter(IFileOps files, string path, long handle, SealedHeader header)
    {
        _files = files;
        _path = path;
        _handle = handle;
        _header = header;
    }

    /// <summary>Plain bytes so far.</summary>
    public long Length { get; private set; }

    /// <summary>Begins in an open, empty file; owns the handle from now on.</summary>
    public static SealedWriter Begin(IFileOps files, string path, long handle, BackupKey? key, ReadOnlySpan<byte> salt) =>
        Begin(files, path, handle, key, salt, RandomNumberGenerator.GetBytes(SealedHeader.StreamSaltBytes));

    /// <summary>As the other, with a salt that must never be used twice with one key: for fixtures.</summary>
    internal static SealedWriter Begin(IFileOps files, string path, long handle, BackupKey? key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> streamSalt)
    {
        SealedWriter writer = new(files, path, handle, SealedHeader.Make(key, salt, streamSalt));
        try
        {
            writer.Put(writer._header.Written);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <exception cref="BackupException">The disk refused a call.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            // A full chunk waits until something follows it: only then is it not the last.
            if (_used == _plain.Length)
            {
                PutChunk(isLast: false);
            }

            int count = Math.Min(bytes.Length, _plain.Length - _used);
            bytes[..count].CopyTo(_plain.AsSpan(_used));
            _used += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes the last chunk and waits for the disk.</summary>
    /// <exception cref="BackupException">The disk refused a call.</exception>
    public void Finish()
    {
        PutChunk(isLast: true);
        IoResult synced = _files.Sync(_handle);
        IoResult closed = _files.Close(_handle);
        _handle = IFileOps.NoHandle;
        synced = synced.Ok ? closed : synced;
        if (!synced.Ok)
        {
            throw BackupException.Disk("sync", _path, synced.Errno);
        }
    }

    /// <summary>Closes an unfinished file as it is.</summary>
    public void Dispose()
    {
        if (_handle != IFileOps.NoHandle)
        {
            _files.Close(_handle); // what is in it is worth nothing
        }

        _handle = IFileOps.NoHandle;
        _header.Dispose();
        CryptographicOperations.ZeroMemory(_plain);
    }

    private void PutChunk(bool isLast)
    {
        _header.Seal(_number++, isLast, _plain.AsSpan(0, _used), _sealed.AsSpan(0, _used), _sealed.AsSpan(_used, SealedHeader.TagBytes));
        Put(_sealed.AsSpan(0, _used + SealedHeader.TagBytes));
        _used = 0;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        IoResult written = _files.WriteAll(_handle, bytes, _offset);
        if (!written.Ok)
        {
            throw BackupException.Disk("write", _path, written.Errno);
        }

        _offset += bytes.Length;
    }
}
