using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// A finished backup of either form, encrypted or not, as files that can be read: paths are those of the state directory below
/// <see cref="Root"/>. So a backup is checked and looked into by the code that opens a state directory. Nothing can be written.
/// </summary>
public sealed class BackupView : IFileOps, IDisposable
{
    /// <summary>The state directory, as paths in here have it.</summary>
    public const string Root = "/backup";

    private readonly IFileOps _files;
    private readonly string _path;
    private readonly BackupKey? _key;
    private readonly SealedReader _main; // the single file, or the directory's index
    private readonly bool _isSingleFile;
    private readonly Dictionary<string, (BackupEntry Entry, long Offset)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<long, IEntryReader> _open = [];
    private readonly Lock _lock = new();
    private long _lastHandle;

    private BackupView(IFileOps files, string path, BackupKey? key, SealedReader main, bool isSingleFile, BackupIndex index)
    {
        _files = files;
        _path = path;
        _key = key;
        _main = main;
        _isSingleFile = isSingleFile;
        Index = index;
        long offset = 0;
        foreach (BackupEntry entry in index.Entries)
        {
            _entries.Add($"{Root}/{entry.Path}", (entry, offset));
            offset += entry.Length;
        }
    }

    public BackupIndex Index { get; }

    /// <summary>The file or directory that it is a view of.</summary>
    public string Path => _path;

    /// <summary>Opens a backup: a file, or a directory with an index.</summary>
    /// <exception cref="BackupException">There is none, it was not finished, its index is damaged, or the key does not fit.</exception>
    public static BackupView Open(IFileOps files, string path, BackupKey? key)
    {
        string index = System.IO.Path.Combine(path, BackupWriter.IndexName);
        bool isDirectory = files.Exists(index) is { Ok: true, Value: 1 };
        if (path.EndsWith(BackupWriter.Unfinished, StringComparison.Ordinal))
        {
            // Whole as it may be by chance: it was never called a backup, and nobody was told that it is one.
            throw new BackupException(BackupFailure.NotABackup, $"{path} was never finished; it is no backup");
        }

        if (!isDirectory && files.Exists(index + BackupWriter.Unfinished) is { Ok: true, Value: 1 })
        {
            throw new BackupException(BackupFailure.NotABackup, $"{path} was never finished; it is no backup");
        }

        if (!isDirectory && files.List(path, new List<string>()).Ok)
        {
            throw new BackupException(BackupFailure.NotABackup, $"{path} is a directory without {BackupWriter.IndexName}");
        }

        SealedReader main = SealedReader.Open(files, isDirectory ? index : path, key);
        try
        {
            return new BackupView(files, path, key, main, !isDirectory, ReadIndex(main, !isDirectory));
        }
        catch
        {
            main.Dispose();
            throw;
        }
    }

    /// <summary>All sealed files, for a check of every chunk; the plain ones of a directory are not among them.</summary>
    internal IEnumerable<SealedReader> OpenSealed()
    {
        yield return SealedReader.Open(_files, _main.Path, _key);
        if (!_isSingleFile && _key is not null)
        {
            foreach (BackupEntry entry in Index.Entries)
            {
                yield return SealedReader.Open(_files, PathOf(entry), _key);
            }
        }
    }

    /// <summary>Where a byte of an entry is: the file and the offset that an operator can look at.</summary>
    internal (string File, long Offset) Locate(BackupEntry entry, long offset)
    {
        if (!_isSingleFile)
        {
            return (PathOf(entry), offset);
        }

        long chunk = _main.ChunkOf(_entries[$"{Root}/{entry.Path}"].Offset + offset);
        return (_path, _main.OffsetOf(chunk));
    }

    public IoResult Open(string path, FileOpenMode mode)
    {
        if (mode != FileOpenMode.Read)
        {
            return IoResult.Fail(Errno.ReadOnlyFileSystem);
        }

        if (!_entries.TryGetValue(path, out (BackupEntry Entry, long Offset) place))
        {
            return IoResult.Fail(Errno.NoEntry);
        }

        IoResult opened = TryOpen(place.Entry, place.Offset, out IEntryReader? reader);
        if (!opened.Ok)
        {
            return opened;
        }

        lock (_lock)
        {
            _open[++_lastHandle] = reader!;
            return IoResult.Done(_lastHandle);
        }
    }

    public IoResult Close(long handle)
    {
        lock (_lock)
        {
            if (!_open.Remove(handle, out IEntryReader? reader))
            {
                return IoResult.Fail(Errno.BadHandle);
            }

            reader.Dispose();
            return IoResult.Done();
        }
    }

    public IoResult Read(long handle, Span<byte> destination, long offset)
    {
        if (!TryFind(handle, out IEntryReader? reader))
        {
            return IoResult.Fail(Errno.BadHandle);
        }

        long left = Math.Max(0, reader.Length - offset);
        return reader.Read(destination[..(int)Math.Min(destination.Length, left)], offset);
    }

    public IoResult Length(long handle) => TryFind(handle, out IEntryReader? reader) ? IoResult.Done(reader.Length) : IoResult.Fail(Errno.BadHandle);

    public IoResult List(string path, ICollection<string> names)
    {
        bool isThere = false;
        foreach (string file in _entries.Keys)
        {
            if (System.IO.Path.GetDirectoryName(file) == path)
            {
                names.Add(System.IO.Path.GetFileName(file));
            }

            isThere |= file.StartsWith(path + "/", StringComparison.Ordinal);
        }

        return isThere ? IoResult.Done(names.Count) : IoResult.Fail(Errno.NoEntry);
    }

    public IoResult Exists(string path) => IoResult.Done(_entries.ContainsKey(path) ? 1 : 0);

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Sync(long handle) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult SyncData(long handle) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Truncate(long handle, long length) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Allocate(long handle, long length) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Lock(long handle) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Rename(string from, string to) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult Delete(string path) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult CreateDirectory(string path) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult SyncDirectory(string path) => IoResult.Fail(Errno.ReadOnlyFileSystem);

    public IoResult SyncOfUnsyncable() => IoResult.Fail(Errno.InvalidArgument);

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (IEntryReader reader in _open.Values)
            {
                reader.Dispose();
            }

            _open.Clear();
        }

        _main.Dispose();
    }

    private static BackupIndex ReadIndex(SealedReader main, bool isSingleFile)
    {
        byte[] trailer = new byte[BackupIndex.TrailerBytes];
        IoResult read = main.Length >= trailer.Length ? main.Read(trailer, main.Length - trailer.Length) : IoResult.Fail(Errno.InputOutput);
        long length = read.Ok ? BackupIndex.LengthOf(trailer) : -1;
        long start = main.Length - trailer.Length - length;
        if (length < 0 || start < 0)
        {
            throw new BackupException(BackupFailure.Damaged, $"{main.Path}: the last chunk (from byte {main.OffsetOf(main.Chunks - 1)}) is damaged, or the end is missing");
        }

        byte[] bytes = new byte[length];
        if (!main.Read(bytes, start).Ok)
        {
            throw new BackupException(BackupFailure.Damaged, $"{main.Path}: the index (from byte {main.OffsetOf(main.ChunkOf(start))}) is damaged");
        }

        try
        {
            BackupIndex index = BackupIndex.Read(bytes);
            return start == (isSingleFile ? index.TotalBytes : 0) ? index : throw new InvalidDataException("it does not tell the length of what is before it");
        }
        catch (InvalidDataException e)
        {
            throw new BackupException(BackupFailure.Damaged, $"{main.Path}: the index makes no sense: {e.Message}");
        }
    }

    private IoResult TryOpen(BackupEntry entry, long offset, out IEntryReader? reader)
    {
        reader = null;
        if (_isSingleFile)
        {
            reader = new PartReader(_main, offset, entry.Length);
            return IoResult.Done();
        }

        if (_key is null)
        {
            IoResult opened = _files.OpenRetrying(PathOf(entry), FileOpenMode.Read);
            reader = opened.Ok ? new PlainReader(_files, opened.Value) : null;
            return opened;
        }

        try
        {
            reader = new WholeReader(SealedReader.Open(_files, PathOf(entry), _key));
            return IoResult.Done();
        }
        catch (BackupException e)
        {
            return IoResult.Fail(e.Failure == BackupFailure.NotABackup ? Errno.NoEntry : Errno.InputOutput);
        }
    }

    private string PathOf(BackupEntry entry) => System.IO.Path.Combine(_path, entry.Path.Replace('/', System.IO.Path.DirectorySeparatorChar));

    private bool TryFind(long handle, [NotNullWhen(true)] out IEntryReader? reader)
    {
        lock (_lock)
        {
            return _open.TryGetValue(handle, out reader);
        }
    }

    private interface IEntryReader : IDisposable
    {
        long Length { get; }

        IoResult Read(Span<byte> into, long offset);
    }

    private sealed class PartReader(SealedReader main, long start, long length) : IEntryReader
    {
        public long Length => length;

        public IoResult Read(Span<byte> into, long offset) => main.Read(into, start + offset);

        public void Dispose()
        {
            // The file is the view's.
        }
    }

    private sealed class WholeReader(SealedReader file) : IEntryReader
    {
        public long Length => file.Length;

        public IoResult Read(Span<byte> into, long offset) => file.Read(into, offset);

        public void Dispose() => file.Dispose();
    }

    private sealed class PlainReader(IFileOps files, long handle) : IEntryReader
    {
        public long Length => files.Length(handle).Value;

        public IoResult Read(Span<byte> into, long offset) => files.ReadAll(handle, into, offset);

        public void Dispose() => files.Close(handle);
    }
}
