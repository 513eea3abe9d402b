using NodeAgent.Journal.Files;

namespace NodeAgent.Actuation.Tests;

/// <summary>The process died here. Nothing of it runs on; what it wrote and did stays.</summary>
internal sealed class Killed() : Exception("killed");

/// <summary>A disk under a process that is killed at its k-th file call, before or after the call did its work.</summary>
internal sealed class KillingFiles(IFileOps disk) : IFileOps
{
    internal long Calls { get; private set; }

    /// <summary>The call at which to die; 0: never.</summary>
    internal long KillAt { get; set; }

    /// <summary>The call did its work, and nobody heard of it.</summary>
    internal bool After { get; set; }

    public IoResult Open(string path, FileOpenMode mode) => Call(() => disk.Open(path, mode));

    public IoResult Close(long handle) => Call(() => disk.Close(handle));

    public IoResult Read(long handle, Span<byte> destination, long offset)
    {
        bool dies = Count();
        if (dies && !After) throw new Killed();
        IoResult result = disk.Read(handle, destination, offset);
        return dies ? throw new Killed() : result;
    }

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset)
    {
        bool dies = Count();
        if (dies && !After) throw new Killed();
        IoResult result = disk.Write(handle, source, offset);
        return dies ? throw new Killed() : result;
    }

    public IoResult Sync(long handle) => Call(() => disk.Sync(handle));

    public IoResult SyncData(long handle) => Call(() => disk.SyncData(handle));

    public IoResult Truncate(long handle, long length) => Call(() => disk.Truncate(handle, length));

    public IoResult Allocate(long handle, long length) => Call(() => disk.Allocate(handle, length));

    public IoResult Length(long handle) => Call(() => disk.Length(handle));

    public IoResult Lock(long handle) => Call(() => disk.Lock(handle));

    public IoResult Rename(string from, string to) => Call(() => disk.Rename(from, to));

    public IoResult Delete(string path) => Call(() => disk.Delete(path));

    public IoResult CreateDirectory(string path) => Call(() => disk.CreateDirectory(path));

    public IoResult SyncDirectory(string path) => Call(() => disk.SyncDirectory(path));

    public IoResult List(string path, ICollection<string> names) => Call(() => disk.List(path, names));

    public IoResult Exists(string path) => Call(() => disk.Exists(path));

    public IoResult SyncOfUnsyncable() => disk.SyncOfUnsyncable();

    private IoResult Call(Func<IoResult> call)
    {
        bool dies = Count();
        if (dies && !After) throw new Killed();
        IoResult result = call();
        return dies ? throw new Killed() : result;
    }

    private bool Count() => ++Calls == KillAt;
}
