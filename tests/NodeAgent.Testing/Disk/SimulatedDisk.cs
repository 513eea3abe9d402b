using NodeAgent.Journal.Files;

namespace NodeAgent.Testing.Disk;

/// <summary>
/// A disk in memory that does what real ones do at their worst, all from one seed: it fails the k-th call, once or for good, takes half
/// a write, forgets or tears or reorders at a power cut what was not synced (names in directories too), marks pages clean after a failed
/// sync, fills up, flips bits and reads from the wrong place. Thread-safe.
/// </summary>
public sealed class SimulatedDisk(int seed) : IFileOps
{
    private readonly Lock _lock = new();
#pragma warning disable CA5394 // Not for secrets: it is the seed that matters.
    private readonly Random _random = new(seed);
#pragma warning restore CA5394
    private readonly Dictionary<string, SimulatedFile> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _directories = new(StringComparer.Ordinal) { "/" };
    private readonly Dictionary<string, SimulatedFile> _durableNames = new(StringComparer.Ordinal);
    private readonly List<(string Path, SimulatedFile? File)> _unsyncedNames = [];
    private readonly Dictionary<long, OpenFile> _open = [];
    private long _lastHandle;

    public int Seed => seed;

    /// <summary>File calls so far.</summary>
    public long Calls { get; private set; }

    /// <summary>What the calls were, when wanted: for the message of a failing test.</summary>
    public List<string>? Trace { get; set; }

    public DiskFault? Fault { get; set; }

    /// <summary>Room for all files together; writes beyond it fail with ENOSPC.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Times that <see cref="Fault"/> hit.</summary>
    public long FaultsHit { get; private set; }

    /// <summary>Syncs of files that succeeded.</summary>
    public long Syncs { get; private set; }

    /// <summary>Called before a sync, outside the disk's lock: a place to hold it up.</summary>
    public Action? BeforeSync { get; set; }

    public long UsedBytes
    {
        get
        {
            lock (_lock) return UsedBytesNeedsLock();
        }
    }

    public IReadOnlyList<string> Paths
    {
        get
        {
            lock (_lock) return [.. _names.Keys.Order(StringComparer.Ordinal)];
        }
    }

    public byte[] ReadFile(string path)
    {
        lock (_lock) return _names[path].Snapshot();
    }

    /// <summary>Puts a file there, durable at once.</summary>
    public void PutFile(string path, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var file = new SimulatedFile();
            file.Write(bytes, 0);
            file.Sync();
            _names[path] = file;
            _durableNames[path] = file;
            _directories.Add(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Puts the disk into the state of a snapshot: these files, all durable, and none open.</summary>
    public void Restore(IReadOnlyDictionary<string, byte[]> files)
    {
        lock (_lock)
        {
            _open.Clear();
            _names.Clear();
            _durableNames.Clear();
            _unsyncedNames.Clear();
        }

        foreach ((string path, byte[] bytes) in files) PutFile(path, bytes);
    }

    /// <summary>Removes a file as somebody else would, durable at once.</summary>
    public void RemoveFile(string path)
    {
        lock (_lock)
        {
            _names.Remove(path);
            _durableNames.Remove(path);
        }
    }

    /// <summary>Removes a directory with all in it, while handles stay open.</summary>
    public void RemoveDirectory(string path)
    {
        lock (_lock)
        {
            foreach (string name in _names.Keys.Where(name => name.StartsWith(path, StringComparison.Ordinal)).ToList())
            {
                _names.Remove(name);
                _durableNames.Remove(name);
            }

            _directories.RemoveWhere(name => name.StartsWith(path, StringComparison.Ordinal));
        }
    }

    public void FlipBit(string path, long offset, int bit)
    {
        lock (_lock) _names[path].Flip(offset, bit);
    }

    public void TruncateFile(string path, long length)
    {
        lock (_lock)
        {
            _names[path].Truncate(length);
            _names[path].Sync();
        }
    }

    /// <summary>The process ends: handles and locks are gone, what was written stays.</summary>
    public void KillProcess()
    {
        lock (_lock) _open.Clear();
    }

    /// <summary>The power is cut: of what was not synced, chance keeps what it likes.</summary>
    public void CutPower()
    {
        lock (_lock)
        {
            _open.Clear();
            bool inOrder = _random.Next(2) == 0;
            int kept = _random.Next(_unsyncedNames.Count + 1);
            for (int i = 0; i < _unsyncedNames.Count; i++)
            {
                if (inOrder ? i < kept : _random.Next(2) == 0) ApplyDurableName(_unsyncedNames[i]);
            }

            _unsyncedNames.Clear();
            _names.Clear();
            foreach ((string path, SimulatedFile file) in _durableNames.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                file.Crash(_random);
                _names[path] = file;
            }
        }
    }

    public IoResult Open(string path, FileOpenMode mode)
    {
        lock (_lock)
        {
            if (Fails("open", path, out IoResult failed)) return failed;
            bool exists = _names.TryGetValue(path, out SimulatedFile? file);
            if (mode == FileOpenMode.Read && !exists) return IoResult.Fail(Errno.NoEntry);
            if (mode == FileOpenMode.CreateNew && exists) return IoResult.Fail(Errno.Exists);
            if (!exists)
            {
                if (!_directories.Contains(Path.GetDirectoryName(path)!)) return IoResult.Fail(Errno.NoEntry);
                file = new SimulatedFile();
                SetName(path, file);
            }

            _open[++_lastHandle] = new OpenFile(file!, path);
            return IoResult.Done(_lastHandle);
        }
    }

    public IoResult Close(long handle)
    {
        lock (_lock)
        {
            bool failing = Fails("close", PathOf(handle), out IoResult failed);
            // As on Linux, the handle is gone even when close reports an error.
            if (!_open.Remove(handle)) return IoResult.Fail(Errno.BadHandle);
            return failing ? failed : IoResult.Done();
        }
    }

    public IoResult Read(long handle, Span<byte> destination, long offset)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails("read", open.Path, out IoResult failed)) return failed;
            if (failed.Value == (long)DiskFaultKind.MisdirectedRead) offset = offset == 0 ? open.File.Length / 2 : offset / 2;
            return IoResult.Done(open.File.Read(destination, offset));
        }
    }

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails($"write {source.Length}@{offset}", open.Path, out IoResult failed)) return failed;
            if (failed.Value == (long)DiskFaultKind.ShortWrite) source = source[..Math.Max(1, source.Length / 3)];

            long room = CapacityBytes == long.MaxValue ? long.MaxValue : CapacityBytes - UsedBytesNeedsLock();
            long growth = Math.Max(0, offset + source.Length - open.File.Length);
            if (growth > room)
            {
                // A disk that fills up takes what still fits.
                long fits = source.Length - (growth - Math.Max(0, room));
                if (fits <= 0) return IoResult.Fail(Errno.NoSpace);
                source = source[..(int)fits];
            }

            open.File.Write(source, offset);
            return IoResult.Done(source.Length);
        }
    }

    public IoResult Sync(long handle) => SyncFile("fsync", handle);

    public IoResult SyncData(long handle) => SyncFile("fdatasync", handle);

    public IoResult Truncate(long handle, long length)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails("truncate", open.Path, out IoResult failed)) return failed;
            open.File.Truncate(length);
            return IoResult.Done();
        }
    }

    public IoResult Allocate(long handle, long length)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails("allocate", open.Path, out IoResult failed)) return failed;
            bool isLimited = CapacityBytes != long.MaxValue;
            if (isLimited && UsedBytesNeedsLock() + length - open.File.Length > CapacityBytes) return IoResult.Fail(Errno.NoSpace);
            if (length > open.File.Length) open.File.Truncate(length);
            return IoResult.Done();
        }
    }

    public IoResult Length(long handle)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            return Fails("length", open.Path, out IoResult failed) ? failed : IoResult.Done(open.File.Length);
        }
    }

    public IoResult Lock(long handle)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails("lock", open.Path, out IoResult failed)) return failed;
            bool held = _open.Any(other => other.Key != handle && other.Value.IsLocked && other.Value.File == open.File);
            if (held) return IoResult.Fail(Errno.WouldBlock);
            open.IsLocked = true;
            return IoResult.Done();
        }
    }

    public IoResult Rename(string from, string to)
    {
        lock (_lock)
        {
            if (Fails("rename", from, out IoResult failed)) return failed;
            if (!_names.TryGetValue(from, out SimulatedFile? file)) return IoResult.Fail(Errno.NoEntry);
            SetName(to, file);
            SetName(from, null);
            return IoResult.Done();
        }
    }

    public IoResult Link(string existing, string added)
    {
        lock (_lock)
        {
            if (Fails("link", existing, out IoResult failed)) return failed;
            if (!_names.TryGetValue(existing, out SimulatedFile? file)) return IoResult.Fail(Errno.NoEntry);
            if (_names.ContainsKey(added)) return IoResult.Fail(Errno.Exists);
            if (!_directories.Contains(Path.GetDirectoryName(added)!)) return IoResult.Fail(Errno.NoEntry);
            SetName(added, file);
            return IoResult.Done();
        }
    }

    public IoResult Delete(string path)
    {
        lock (_lock)
        {
            if (Fails("delete", path, out IoResult failed)) return failed;
            if (!_names.ContainsKey(path)) return IoResult.Fail(Errno.NoEntry);
            SetName(path, null);
            return IoResult.Done();
        }
    }

    public IoResult CreateDirectory(string path)
    {
        lock (_lock)
        {
            if (Fails("mkdir", path, out IoResult failed)) return failed;
            for (string? directory = path; directory is not null; directory = Path.GetDirectoryName(directory)) _directories.Add(directory);
            return IoResult.Done();
        }
    }

    public IoResult SyncDirectory(string path)
    {
        lock (_lock)
        {
            if (Fails("fsync directory", path, out IoResult failed)) return failed;
            if (!_directories.Contains(path)) return IoResult.Fail(Errno.NoEntry);
            foreach ((string Path, SimulatedFile? File) change in _unsyncedNames.Where(change => IsIn(change.Path, path))) ApplyDurableName(change);
            _unsyncedNames.RemoveAll(change => IsIn(change.Path, path));
            return IoResult.Done();
        }
    }

    public IoResult List(string path, ICollection<string> names)
    {
        lock (_lock)
        {
            if (Fails("list", path, out IoResult failed)) return failed;
            if (!_directories.Contains(path)) return IoResult.Fail(Errno.NoEntry);
            foreach (string file in _names.Keys.Where(name => IsIn(name, path))) names.Add(Path.GetFileName(file));
            return IoResult.Done(names.Count);
        }
    }

    public IoResult Exists(string path)
    {
        lock (_lock) return Fails("exists", path, out IoResult failed) ? failed : IoResult.Done(_names.ContainsKey(path) ? 1 : 0);
    }

    public IoResult SyncOfUnsyncable() => IoResult.Fail(Errno.InvalidArgument);

    private IoResult SyncFile(string call, long handle)
    {
        BeforeSync?.Invoke();
        lock (_lock)
        {
            if (!_open.TryGetValue(handle, out OpenFile? open)) return IoResult.Fail(Errno.BadHandle);
            if (Fails(call, open.Path, out IoResult failed))
            {
                open.File.FailSync(_random);
                return failed;
            }

            open.File.Sync();
            Syncs++;
            return IoResult.Done();
        }
    }

    /// <summary>Counts the call and says whether it fails; otherwise the value names the milder fault that applies to it.</summary>
    private bool Fails(string call, string path, out IoResult result)
    {
        Calls++;
        Trace?.Add($"{Calls} {call} {path}");
        result = IoResult.Done();
        if (Fault is not { } fault || !fault.Hits(Calls)) return false;

        FaultsHit++;
        bool isWrite = call.StartsWith("write", StringComparison.Ordinal);
        switch (fault.Kind)
        {
            case DiskFaultKind.Error:
                result = IoResult.Fail(fault.Errno);
                return true;
            case DiskFaultKind.ShortWrite when !isWrite:
                // For good it would be a disk on which no call ever ends.
                result = IoResult.Fail(fault.Calls == int.MaxValue ? Errno.InputOutput : Errno.Interrupted);
                return true;
            default:
                result = IoResult.Done((long)fault.Kind);
                return false;
        }
    }

    private void SetName(string path, SimulatedFile? file)
    {
        if (file is null) _names.Remove(path);
        else _names[path] = file;
        _unsyncedNames.Add((path, file));
    }

    private void ApplyDurableName((string Path, SimulatedFile? File) change)
    {
        if (change.File is null) _durableNames.Remove(change.Path);
        else _durableNames[change.Path] = change.File;
    }

    private string PathOf(long handle) => _open.TryGetValue(handle, out OpenFile? open) ? open.Path : "?";

    private long UsedBytesNeedsLock() => _names.Values.Sum(file => file.Length);

    private static bool IsIn(string file, string directory) => Path.GetDirectoryName(file) == directory;

    private sealed class OpenFile(SimulatedFile file, string path)
    {
        public SimulatedFile File => file;

        public string Path => path;

        public bool IsLocked { get; set; }
    }
}
