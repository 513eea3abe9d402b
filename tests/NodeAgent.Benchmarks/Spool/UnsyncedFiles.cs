using NodeAgent.Journal.Files;

namespace NodeAgent.Benchmarks.Spool;

/// <summary>Real files whose syncs are left out: for measurements of bytes, which a sync does not change.</summary>
internal sealed class UnsyncedFiles : IFileOps
{
    private readonly IFileOps _files = FileOps.ForThisMachine();

    public IoResult Open(string path, FileOpenMode mode) => _files.Open(path, mode);

    public IoResult Close(long handle) => _files.Close(handle);

    public IoResult Read(long handle, Span<byte> destination, long offset) => _files.Read(handle, destination, offset);

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset) => _files.Write(handle, source, offset);

    // What can never be synced still fails, so that the journal's self-test stays true.
    public IoResult Sync(long handle) => handle == IFileOps.NoHandle ? _files.Sync(handle) : IoResult.Done();

    public IoResult SyncData(long handle) => handle == IFileOps.NoHandle ? _files.SyncData(handle) : IoResult.Done();

    public IoResult Truncate(long handle, long length) => _files.Truncate(handle, length);

    public IoResult Allocate(long handle, long length) => _files.Allocate(handle, length);

    public IoResult Length(long handle) => _files.Length(handle);

    public IoResult Lock(long handle) => _files.Lock(handle);

    public IoResult Rename(string from, string to) => _files.Rename(from, to);

    public IoResult Delete(string path) => _files.Delete(path);

    public IoResult CreateDirectory(string path) => _files.CreateDirectory(path);

    public IoResult SyncDirectory(string path) => IoResult.Done();

    public IoResult List(string path, ICollection<string> names) => _files.List(path, names);

    public IoResult Exists(string path) => _files.Exists(path);

    public IoResult SyncOfUnsyncable() => _files.SyncOfUnsyncable();
}
