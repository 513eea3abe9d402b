namespace NodeAgent.Journal.Files;

/// <summary>
/// Every file call of a journal: the seam at which tests fail the k-th call, tear a write or lose what was not synced.
/// The calls mean what POSIX says, with two liberties: they may be interrupted (<see cref="Errno.Interrupted"/>) and short
/// (fewer bytes than asked for); <see cref="FileOpsExtensions"/> deals with both. Thread-safe, but for use of a handle after its close.
/// </summary>
public interface IFileOps
{
    /// <summary>The handle that is never open.</summary>
    const long NoHandle = -1;

    /// <summary>Value: the handle.</summary>
    IoResult Open(string path, FileOpenMode mode);

    IoResult Close(long handle);

    /// <summary>Value: the bytes read; 0 at the end of the file.</summary>
    IoResult Read(long handle, Span<byte> destination, long offset);

    /// <summary>Value: the bytes written, possibly fewer than given.</summary>
    IoResult Write(long handle, ReadOnlySpan<byte> source, long offset);

    /// <summary>fsync(2). After a failure the file's unsynced bytes must not be trusted, even if a later call succeeds.</summary>
    IoResult Sync(long handle);

    /// <summary>fdatasync(2): as <see cref="Sync"/>, without the times of the file.</summary>
    IoResult SyncData(long handle);

    IoResult Truncate(long handle, long length);

    /// <summary>Reserves room and extends the file with zeros up to <paramref name="length"/>.</summary>
    IoResult Allocate(long handle, long length);

    /// <summary>Value: the file's length in bytes.</summary>
    IoResult Length(long handle);

    /// <summary>flock(2) exclusive, without waiting: <see cref="Errno.WouldBlock"/> when another open file description holds it.</summary>
    IoResult Lock(long handle);

    IoResult Rename(string from, string to);

    /// <summary>
    /// link(2): a second name for a file; <see cref="Errno.NotSupported"/> where there is none. Whoever asks copies instead.
    /// </summary>
    IoResult Link(string existing, string added) => IoResult.Fail(Errno.NotSupported);

    IoResult Delete(string path);

    /// <summary>Makes the directory and its missing parents, mode 0700. Fine when it is there already.</summary>
    IoResult CreateDirectory(string path);

    /// <summary>Makes creations, renames and deletions in the directory durable.</summary>
    IoResult SyncDirectory(string path);

    /// <summary>Adds the names of the directory's files (no directories) to <paramref name="names"/>, in no order.</summary>
    IoResult List(string path, ICollection<string> names);

    /// <summary>Value: 1 when the path is there, else 0.</summary>
    IoResult Exists(string path);

    /// <summary>
    /// Syncs, by the same route as <see cref="Sync"/>, something that cannot be synced. An implementation that can see a failing
    /// fsync answers with an error; see <see cref="SyncSelfTest"/>.
    /// </summary>
    IoResult SyncOfUnsyncable();
}
