using System.Security.Cryptography;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>How a backup is put back.</summary>
public sealed record RestoreOptions
{
    /// <summary>The state directory.</summary>
    public required string Directory { get; init; }

    /// <summary>Where the store goes; null: <c>store/</c> in the state directory.</summary>
    public string? StoreDirectory { get; init; }

    /// <summary>State that is there goes aside, into <c>replaced-</c>time below its directory; nothing is deleted. False: it is refused.</summary>
    public bool IsForced { get; init; }

    /// <summary>Names the place for what goes aside.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>
/// Puts a backup into a state directory. First every byte of it is verified; then it is written beside what is there, and verified again
/// as it is written; only then names change. While they do, a marker says so: a process that finds it opens nothing, and the same
/// restore, run again, ends the work.
/// </summary>
public sealed class RestoreJob
{
    private const string Staging = "restore.new";

    private readonly IFileOps _files;
    private readonly BackupView _backup;
    private readonly RestoreOptions _options;
    private readonly IProgress<BackupProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _buffer = new byte[1 << 20];
    private long _done;

    private RestoreJob(IFileOps files, BackupView backup, RestoreOptions options, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        _files = files;
        _backup = backup;
        _options = options;
        _progress = progress;
        _cancellation = cancellation;
    }

    private string Marker => Path.Combine(_options.Directory, StateRooms.UnfinishedRestore);

    /// <summary>Restores. Returns the directories in which former state is now; none: there was none.</summary>
    /// <exception cref="BackupException">
    /// <see cref="BackupFailure.Damaged"/>: the backup does not verify, and nothing was touched; run a check for all that is wrong.
    /// Others: in use, in the way, the disk.
    /// </exception>
    public static IReadOnlyList<string> Run(
        IFileOps files, BackupView backup, RestoreOptions options, TimeProvider time, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        StateReport report = StateCheck.Run(backup, time, progress, cancellation);
        if (!report.IsSound)
        {
            throw new BackupException(BackupFailure.Damaged, $"the backup is damaged, nothing was touched: {report.Findings.First(finding => finding.IsDamage)}");
        }

        return new RestoreJob(files, backup, options, progress, cancellation).Run();
    }

    private List<string> Run()
    {
        foreach (string top in Tops())
        {
            Require(_files.CreateDirectory(top), "create directory", top);
        }

        List<DirectoryLock> locks = TakeLocks();
        try
        {
            bool isInterrupted = _files.Exists(Marker) is { Ok: true, Value: 1 };
            if (!isInterrupted && !_options.IsForced && FilesOfState().FirstOrDefault() is { } there)
            {
                throw new BackupException(BackupFailure.InTheWay, $"{_options.Directory} holds state ({there}); --force puts it aside");
            }

            RemoveStaging();
            Stage();
            return Swap();
        }
        finally
        {
            locks.ForEach(taken => taken.Release());
        }
    }

    /// <summary>An aggregator that runs holds these; while this runs, none can start.</summary>
    private List<DirectoryLock> TakeLocks()
    {
        List<DirectoryLock> locks = [];
        foreach (string room in StateRooms.CuttingOrder)
        {
            string directory = PathOf(room == StateRooms.Store ? $"{room}/manifest" : room);
            Require(_files.CreateDirectory(directory), "create directory", directory);
            if (!DirectoryLock.TryTake(_files, directory, Environment.ProcessId, out DirectoryLock? taken, out OpenError? error))
            {
                locks.ForEach(other => other.Release());
                throw new BackupException(error.Failure == OpenFailure.Locked ? BackupFailure.InUse : BackupFailure.Disk, error.Message);
            }

            locks.Add(taken);
        }

        return locks;
    }

    private void Stage()
    {
        HashSet<string> directories = new(StringComparer.Ordinal);
        foreach (BackupEntry entry in _backup.Index.Entries)
        {
            string path = PathOf(entry.Path, Staging);
            string directory = Path.GetDirectoryName(path)!;
            if (directories.Add(directory))
            {
                Require(_files.CreateDirectory(directory), "create directory", directory);
            }

            Copy(entry, path);
        }

        foreach (string directory in directories)
        {
            Require(_files.SyncDirectory(directory), "sync directory", directory);
        }
    }

    private void Copy(BackupEntry entry, string path)
    {
        IoResult source = _backup.Open($"{BackupView.Root}/{entry.Path}", FileOpenMode.Read);
        Require(source, "open", entry.Path);
        IoResult target = _files.OpenRetrying(path, FileOpenMode.CreateNew);
        try
        {
            Require(target, "create", path);
            CopyBytes(entry, source.Value, target.Value, path);
            Require(_files.Sync(target.Value), "sync", path);
        }
        finally
        {
            _backup.Close(source.Value);
            if (target.Ok)
            {
                _files.Close(target.Value); // synced, or given up
            }
        }
    }

    private void CopyBytes(BackupEntry entry, long source, long target, string path)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < entry.Length;)
        {
            _cancellation.ThrowIfCancellationRequested();
            _progress.Report(new BackupProgress(_done, _backup.Index.TotalBytes, $"restoring {entry.Path}"));
            Span<byte> piece = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, entry.Length - offset));
            IoResult read = _backup.ReadAll(source, piece, offset);
            Require(read, "read", entry.Path);
            Require(_files.WriteAll(target, piece, offset), "write", path);
            digest.AppendData(piece);
            offset += piece.Length;
            _done += piece.Length;
        }

        if (!digest.GetHashAndReset().AsSpan().SequenceEqual(entry.Digest))
        {
            throw new BackupException(BackupFailure.Damaged, $"{entry.Path} changed while it was read; nothing was replaced");
        }
    }

    /// <summary>From here on work is ended, not taken back: each step may be done twice.</summary>
    private List<string> Swap()
    {
        IoResult marker = _files.OpenRetrying(Marker, FileOpenMode.ReadWrite);
        Require(marker, "create", Marker);
        IoResult synced = _files.Sync(marker.Value);
        _files.Close(marker.Value); // synced; there is nothing in it
        Require(synced, "sync", Marker);
        SyncTops();

        List<string> aside = MoveAside(FreeName($"replaced-{_options.Now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}"));
        foreach (string room in StateRooms.Directories)
        {
            string from = PathOf(room, Staging);
            Move(from, PathOf(room), NamesIn(from));
        }

        SyncTops(); // the store's directory must not lose what the marker's going says is done
        Require(_files.DeleteRetrying(Marker), "delete", Marker);
        SyncTops();
        return aside;
    }

    private void SyncTops()
    {
        foreach (string top in Tops())
        {
            Require(_files.SyncDirectory(top), "sync directory", top);
        }
    }

    private string FreeName(string name)
    {
        string free = name;
        for (int i = 2; StateRooms.Directories.Any(room => NamesIn(PathOf(room, free)).Count > 0); i++)
        {
            free = $"{name}-{i}";
        }

        return free;
    }

    private List<string> MoveAside(string aside)
    {
        HashSet<string> used = new(StringComparer.Ordinal);
        foreach (string room in StateRooms.Directories)
        {
            string directory = PathOf(room);
            List<string> names = NamesIn(directory);
            names.Remove(DirectoryLock.FileName); // we hold it
            if (names.Count > 0)
            {
                used.Add(Path.Combine(TopOf(room), aside));
            }

            Move(directory, PathOf(room, aside), names);
        }

        return [.. used];
    }

    private void Move(string from, string to, List<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        Require(_files.CreateDirectory(to), "create directory", to);
        foreach (string name in names)
        {
            Require(_files.RenameRetrying(Path.Combine(from, name), Path.Combine(to, name)), "rename", Path.Combine(from, name));
        }

        Require(_files.SyncDirectory(to), "sync directory", to);
        Require(_files.SyncDirectory(from), "sync directory", from);
    }

    private void RemoveStaging()
    {
        foreach (string room in StateRooms.Directories)
        {
            string directory = PathOf(room, Staging);
            foreach (string name in NamesIn(directory))
            {
                Require(_files.DeleteRetrying(Path.Combine(directory, name)), "delete", Path.Combine(directory, name));
            }
        }
    }

    private IEnumerable<string> FilesOfState() => StateRooms.Directories.SelectMany(room =>
        NamesIn(PathOf(room)).Where(name => name != DirectoryLock.FileName).Select(name => $"{room}/{name}"));

    private List<string> NamesIn(string directory)
    {
        List<string> names = [];
        IoResult listed = _files.List(directory, names);
        if (!listed.Ok && listed.Errno != Errno.NoEntry)
        {
            throw BackupException.Disk("list", directory, listed.Errno);
        }

        return names;
    }

    private IEnumerable<string> Tops() => _options.StoreDirectory is { } store ? [_options.Directory, store] : [_options.Directory];

    private bool IsElsewhere(string relative) =>
        _options.StoreDirectory is not null && relative.StartsWith(StateRooms.Store + "/", StringComparison.Ordinal);

    private string TopOf(string relative) => IsElsewhere(relative) ? _options.StoreDirectory! : _options.Directory;

    /// <summary>Where a file or room of the backup belongs: names only change within a disk, so each of the two directories has its own staging.</summary>
    /// <param name="relative">In the backup, with <c>/</c>.</param>
    /// <param name="under">Empty: in its place; else below this name.</param>
    private string PathOf(string relative, string under = "")
    {
        string inside = IsElsewhere(relative) ? relative[(StateRooms.Store.Length + 1)..] : relative;
        return Path.Combine(TopOf(relative), under, inside.Replace('/', Path.DirectorySeparatorChar));
    }

    private static void Require(IoResult result, string operation, string path)
    {
        if (!result.Ok)
        {
            throw BackupException.Disk(operation, path, result.Errno);
        }
    }
}
