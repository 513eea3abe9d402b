using System.Collections.Concurrent;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// Files that are looked at and not touched: reads go through, everything that would change something is taken for done. So the code that
/// opens a journal or a store, repairs included, tells what it would find without doing anything.
/// </summary>
/// <param name="inner">Where the files are.</param>
/// <param name="takesLocks">Whether directory locks are real: a state directory in use is refused. A backup has none.</param>
internal sealed class FrozenFiles(IFileOps inner, bool takesLocks) : IFileOps
{
    private const long FirstOwnHandle = 1L << 48; // far from any descriptor

    private readonly ConcurrentDictionary<long, bool> _own = new();
    private long _lastOwn = FirstOwnHandle;

    public IoResult Open(string path, FileOpenMode mode)
    {
        bool isLock = Path.GetFileName(path) == DirectoryLock.FileName;
        if (isLock)
        {
            return takesLocks ? inner.Open(path, FileOpenMode.ReadWrite) : OpenOwn();
        }

        IoResult opened = mode == FileOpenMode.CreateNew ? IoResult.Fail(Errno.NoEntry) : inner.Open(path, FileOpenMode.Read);
        return opened.Errno == Errno.NoEntry && mode != FileOpenMode.Read ? OpenOwn() : opened;
    }

    public IoResult Close(long handle) => _own.TryRemove(handle, out _) ? IoResult.Done() : inner.Close(handle);

    public IoResult Read(long handle, Span<byte> destination, long offset) =>
        _own.ContainsKey(handle) ? IoResult.Done() : inner.Read(handle, destination, offset);

    public IoResult Length(long handle) => _own.ContainsKey(handle) ? IoResult.Done() : inner.Length(handle);

    public IoResult Lock(long handle) => _own.ContainsKey(handle) ? IoResult.Done() : inner.Lock(handle);

    public IoResult List(string path, ICollection<string> names) => inner.List(path, names);

    public IoResult Exists(string path) => inner.Exists(path);

    // The journal asks at its opening whether failing calls would be seen.
    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset) =>
        handle == IFileOps.NoHandle ? IoResult.Fail(Errno.BadHandle) : IoResult.Done(source.Length);

    public IoResult Sync(long handle) => handle == IFileOps.NoHandle ? IoResult.Fail(Errno.BadHandle) : IoResult.Done();

    public IoResult SyncData(long handle) => Sync(handle);

    public IoResult Truncate(long handle, long length) => IoResult.Done();

    public IoResult Allocate(long handle, long length) => IoResult.Done();

    public IoResult Rename(string from, string to) => IoResult.Done();

    public IoResult Delete(string path) => IoResult.Done();

    public IoResult CreateDirectory(string path) => IoResult.Done();

    public IoResult SyncDirectory(string path) => IoResult.Done();

    public IoResult SyncOfUnsyncable() => inner.SyncOfUnsyncable();

    private IoResult OpenOwn()
    {
        long handle = Interlocked.Increment(ref _lastOwn);
        _own[handle] = true;
        return IoResult.Done(handle);
    }
}
