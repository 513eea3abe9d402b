using System.Security.Cryptography;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>How a backup is written.</summary>
public sealed record BackupOptions
{
    /// <summary>Where to: a path that nothing has yet, or an empty directory.</summary>
    public required string Target { get; init; }

    /// <summary>One file, to be carried away. False: a directory with the files as they are.</summary>
    public bool IsSingleFile { get; init; }

    /// <summary>
    /// Hard links instead of copies where a file never changes: takes neither time nor room, and protects against mistakes but not
    /// against the disk. Directories without a key only, on the state's own file system.
    /// </summary>
    public bool IsLinked { get; init; }

    /// <summary>Null: not encrypted.</summary>
    public BackupKey? Key { get; init; }

    /// <summary>Who writes, for the index.</summary>
    public required string Program { get; init; }

    /// <summary>When, for the index.</summary>
    public required long NowUnixMs { get; init; }
}

/// <summary>
/// Writes a cut to its place. The index comes last, under its final name only once everything is on the disk: whatever ends the work
/// before, what is left has no index or no end and is no backup.
/// </summary>
public sealed class BackupWriter
{
    internal const string IndexName = "backup.index";
    internal const string Unfinished = ".partial";

    private const int BufferBytes = 1 << 20;

    private readonly IFileOps _files;
    private readonly BackupOptions _options;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(SealedHeader.SaltBytes);
    private readonly List<BackupEntry> _entries = [];
    private readonly List<string> _made = [];
    private readonly HashSet<string> _directories = new(StringComparer.Ordinal);
    private readonly IProgress<BackupProgress> _progress;
    private readonly CancellationToken _cancellation;
    private long _done;
    private long _total;

    private BackupWriter(IFileOps files, BackupOptions options, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        _files = files;
        _options = options;
        _progress = progress;
        _cancellation = cancellation;
    }

    /// <summary>Writes the backup; returns its index.</summary>
    /// <exception cref="BackupException">It could not be finished; nothing that passes for a backup is left.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, as above.</exception>
    public static BackupIndex Write(
        IFileOps files, BackupCut cut, BackupOptions options, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        if (options.IsLinked && (options.IsSingleFile || options.Key is not null))
        {
            throw new ArgumentException("links are for directories without a key");
        }

        BackupWriter writer = new(files, options, progress, cancellation) { _total = cut.TotalBytes };
        bool isDone = false;
        try
        {
            BackupIndex index = options.IsSingleFile ? writer.WriteFile(cut) : writer.WriteDirectory(cut);
            isDone = true;
            return index;
        }
        finally
        {
            if (!isDone)
            {
                writer._made.ForEach(path => files.DeleteRetrying(path)); // best effort: without an index it is no backup
            }
        }
    }

    private BackupIndex WriteFile(BackupCut cut)
    {
        if (Exists(_options.Target))
        {
            throw new BackupException(BackupFailure.InTheWay, $"{_options.Target} exists; a backup never replaces anything");
        }

        string directory = Path.GetDirectoryName(_options.Target) is { Length: > 0 } parent ? parent : ".";
        Require(_files.CreateDirectory(directory), "create directory", directory);
        string partial = _options.Target + Unfinished;
        using SealedWriter writer = Seal(partial, OpenUnfinished(partial));
        foreach (BackupFile file in cut.Files)
        {
            _entries.Add(Copy(file, bytes => writer.Write(bytes.Span)));
        }

        BackupIndex index = IndexOf(cut);
        writer.Write(index.ToBytes());
        writer.Finish();
        Require(_files.RenameRetrying(partial, _options.Target), "rename", partial);
        Require(_files.SyncDirectory(directory), "sync directory", directory);
        return index;
    }

    private BackupIndex WriteDirectory(BackupCut cut)
    {
        string target = _options.Target;
        Require(_files.CreateDirectory(target), "create directory", target);
        string partial = Path.Combine(target, IndexName + Unfinished);
        RequireEmpty(target);
        using SealedWriter writer = Seal(partial, OpenUnfinished(partial)); // its lock says that somebody is at work here
        foreach (BackupFile file in cut.Files)
        {
            _entries.Add(Place(file));
        }

        // A directory is itself a name in the one above it.
        foreach (string directory in _directories.OrderByDescending(directory => directory.Length).Append(target).Append(Path.GetDirectoryName(target) ?? target))
        {
            Require(_files.SyncDirectory(directory), "sync directory", directory);
        }

        BackupIndex index = IndexOf(cut);
        writer.Write(index.ToBytes());
        writer.Finish();
        Require(_files.RenameRetrying(partial, Path.Combine(target, IndexName)), "rename", partial);
        Require(_files.SyncDirectory(target), "sync directory", target);
        return index;
    }

    private BackupIndex IndexOf(BackupCut cut) => new(_options.NowUnixMs, _options.Program, cut.LogId, _entries);

    private BackupEntry Place(BackupFile file)
    {
        string path = PathOf(file.Path);
        string directory = Path.GetDirectoryName(path)!;
        while (directory.Length > _options.Target.Length && _directories.Add(directory))
        {
            Require(_files.CreateDirectory(directory), "create directory", directory);
            directory = Path.GetDirectoryName(directory)!;
        }

        if (_options.Key is not null)
        {
            using SealedWriter sealedFile = Seal(path, OpenNew(path));
            BackupEntry entry = Copy(file, bytes => sealedFile.Write(bytes.Span));
            sealedFile.Finish();
            return entry;
        }

        return _options.IsLinked && file.LinkFrom is not null ? Link(file, path) : CopyPlain(file, path);
    }

    private BackupEntry Link(BackupFile file, string path)
    {
        IoResult linked = _files.Link(file.LinkFrom!, path);
        if (!linked.Ok)
        {
            return CopyPlain(file, path); // merged away since the cut, or no links here: the open handle has the bytes
        }

        _made.Add(path);
        return Copy(file, _ => { });
    }

    private BackupEntry CopyPlain(BackupFile file, string path)
    {
        long handle = OpenNew(path);
        try
        {
            long offset = 0;
            BackupEntry entry = Copy(file, bytes =>
            {
                Require(_files.WriteAll(handle, bytes.Span, offset), "write", path);
                offset += bytes.Length;
            });
            Require(_files.Sync(handle), "sync", path);
            return entry;
        }
        finally
        {
            _files.Close(handle); // synced, or given up
        }
    }

    private BackupEntry Copy(BackupFile file, Action<ReadOnlyMemory<byte>> put)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < file.Length;)
        {
            _cancellation.ThrowIfCancellationRequested();
            _progress.Report(new BackupProgress(_done, _total, $"writing {file.Path}"));
            Memory<byte> piece = _buffer.AsMemory(0, (int)Math.Min(_buffer.Length, file.Length - offset));
            IoResult read = file.Read(piece, offset);
            Require(read, "read", file.Path);
            if (read.Value != piece.Length)
            {
                throw new BackupException(BackupFailure.Damaged, $"{file.Path} ends at byte {offset + read.Value} of {file.Length}");
            }

            digest.AppendData(piece.Span);
            put(piece);
            offset += piece.Length;
            _done += piece.Length;
        }

        return new BackupEntry(file.Path, file.Length, digest.GetHashAndReset());
    }

    private SealedWriter Seal(string path, long handle) => SealedWriter.Begin(_files, path, handle, _options.Key, _salt);

    // Never an existing file: a target that is a state directory must cost nothing.
    private long OpenNew(string path)
    {
        IoResult opened = _files.OpenRetrying(path, FileOpenMode.CreateNew);
        if (opened.Errno == Errno.Exists)
        {
            throw new BackupException(BackupFailure.InTheWay, $"{path} exists; a backup never replaces anything, nor goes on with an unfinished one");
        }

        Require(opened, "create", path);
        _made.Add(path);
        return opened.Value;
    }

    /// <summary>Opens a name that only backups use; it may be left of an attempt that was killed.</summary>
    private long OpenUnfinished(string path)
    {
        IoResult opened = _files.OpenRetrying(path, FileOpenMode.ReadWrite);
        Require(opened, "create", path);
        IoResult ready = _files.Lock(opened.Value);
        bool isTaken = ready.Errno == Errno.WouldBlock;
        ready = ready.Ok ? _files.TruncateRetrying(opened.Value, 0) : ready;
        if (ready.Ok)
        {
            _made.Add(path);
            return opened.Value;
        }

        _files.Close(opened.Value);
        throw isTaken
            ? new BackupException(BackupFailure.InUse, $"another process is writing {path}")
            : BackupException.Disk("empty", path, ready.Errno);
    }

    private void RequireEmpty(string target)
    {
        List<string> names = [];
        Require(_files.List(target, names), "list", target);
        if (names.Contains(IndexName))
        {
            throw new BackupException(BackupFailure.InTheWay, $"{target} holds a backup; a backup never replaces anything");
        }

        if (names.Find(name => name != IndexName + Unfinished) is { } other)
        {
            throw new BackupException(BackupFailure.InTheWay, $"{target} is not empty: it holds {other}");
        }
    }

    private bool Exists(string path)
    {
        IoResult found = _files.Exists(path);
        Require(found, "look for", path);
        return found.Value != 0;
    }

    private string PathOf(string relative) => Path.Combine(_options.Target, relative.Replace('/', Path.DirectorySeparatorChar));

    private static void Require(IoResult result, string operation, string path)
    {
        if (!result.Ok)
        {
            throw BackupException.Disk(operation, path, result.Errno);
        }
    }
}
