using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Journal.Files;

/// <summary>File calls straight to libc, each with its own error number. Handles are file descriptors.</summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class LinuxFileOps : IFileOps
{
    private const uint OwnerOnlyFile = 0x180; // 0600
    private const uint OwnerOnlyDirectory = 0x1C0; // 0700

    public IoResult Open(string path, FileOpenMode mode)
    {
        int flags = mode switch
        {
            FileOpenMode.Read => LinuxNative.ReadOnly,
            FileOpenMode.ReadWrite => LinuxNative.ReadWrite | LinuxNative.Create,
            FileOpenMode.CreateNew => LinuxNative.ReadWrite | LinuxNative.Create | LinuxNative.Exclusive,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "BUG: unknown mode"),
        };
        return Result(LinuxNative.Open(path, flags | LinuxNative.CloseOnExec | LinuxNative.NoFollow, OwnerOnlyFile));
    }

    public IoResult Close(long handle) => Result(LinuxNative.Close((int)handle));

    public IoResult Read(long handle, Span<byte> destination, long offset)
    {
        fixed (byte* buffer = destination) return Result(LinuxNative.Read((int)handle, buffer, (nuint)destination.Length, offset));
    }

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset)
    {
        fixed (byte* buffer = source) return Result(LinuxNative.Write((int)handle, buffer, (nuint)source.Length, offset));
    }

    public IoResult Sync(long handle) => Result(LinuxNative.Sync((int)handle));

    public IoResult SyncData(long handle) => Result(LinuxNative.SyncData((int)handle));

    public IoResult Truncate(long handle, long length) => Result(LinuxNative.Truncate((int)handle, length));

    public IoResult Allocate(long handle, long length) => Result(LinuxNative.Allocate((int)handle, 0, 0, length));

    public IoResult Length(long handle) => Result(LinuxNative.Seek((int)handle, 0, LinuxNative.SeekEnd));

    public IoResult Lock(long handle) =>
        Result(LinuxNative.Lock((int)handle, LinuxNative.LockExclusive | LinuxNative.LockNonBlocking));

    public IoResult Rename(string from, string to) => Result(LinuxNative.Rename(from, to));

    public IoResult Link(string existing, string added) => Result(LinuxNative.Link(existing, added));

    public IoResult Delete(string path) => Result(LinuxNative.Unlink(path));

    public IoResult CreateDirectory(string path)
    {
        IoResult made = Result(LinuxNative.MakeDirectory(path, OwnerOnlyDirectory));
        if (made.Ok || made.Errno == Errno.Exists) return IoResult.Done();
        if (made.Errno != Errno.NoEntry || Path.GetDirectoryName(path) is not { Length: > 0 } parent) return made;

        IoResult above = CreateDirectory(parent);
        if (!above.Ok) return above;
        made = Result(LinuxNative.MakeDirectory(path, OwnerOnlyDirectory));
        return made.Ok || made.Errno == Errno.Exists ? SyncDirectory(parent) : made;
    }

    public IoResult SyncDirectory(string path)
    {
        IoResult opened = Result(LinuxNative.Open(path, LinuxNative.ReadOnly | LinuxNative.Directory | LinuxNative.CloseOnExec, 0));
        if (!opened.Ok) return opened;
        IoResult synced = Sync(opened.Value);
        IoResult closed = Close(opened.Value);
        return synced.Ok ? closed : synced;
    }

    public IoResult List(string path, ICollection<string> names)
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(path)) names.Add(Path.GetFileName(file));
            return IoResult.Done(names.Count);
        }
        catch (DirectoryNotFoundException)
        {
            return IoResult.Fail(Errno.NoEntry);
        }
        catch (UnauthorizedAccessException)
        {
            return IoResult.Fail(Errno.AccessDenied);
        }
        catch (IOException error)
        {
            // The runtime puts the raw error number there on Unix; anything else is still an I/O error.
            return IoResult.Fail(error.HResult is > 0 and < 4096 ? error.HResult : Errno.InputOutput);
        }
    }

    public IoResult Exists(string path)
    {
        IoResult found = Result(LinuxNative.Access(path, 0));
        return found.Ok ? IoResult.Done(1) : found.Errno == Errno.NoEntry ? IoResult.Done() : found;
    }

    /// <summary>/dev/null has no fsync operation, so the kernel answers EINVAL (drivers/char/mem.c, fs/sync.c).</summary>
    public IoResult SyncOfUnsyncable()
    {
        IoResult opened = Result(LinuxNative.Open("/dev/null", LinuxNative.ReadWrite | LinuxNative.CloseOnExec, 0));
        if (!opened.Ok) return opened;
        IoResult synced = Sync(opened.Value);
        IoResult syncedData = SyncData(opened.Value);
        IoResult closed = Close(opened.Value);
        return !closed.Ok ? closed : synced.Ok ? synced : syncedData;
    }

    private static IoResult Result(long value) => value >= 0 ? IoResult.Done(value) : IoResult.Fail(Marshal.GetLastPInvokeError());
}
