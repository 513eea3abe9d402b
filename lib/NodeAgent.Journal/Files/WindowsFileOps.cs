using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Journal.Files;

/// <summary>
/// The same calls on Windows. NOT TESTED: no Windows machine has run this yet; it is here so that the agent builds and starts there.
/// A directory cannot be synced on Windows; NTFS journals its own metadata in order.
/// </summary>
[SupportedOSPlatform("windows")]
public sealed unsafe partial class WindowsFileOps : IFileOps
{
    private readonly ConcurrentDictionary<long, SafeFileHandle> _handles = new();
    private long _lastHandle;

    public IoResult Open(string path, FileOpenMode mode) => Try(() =>
    {
        SafeFileHandle file = mode switch
        {
            FileOpenMode.Read => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete),
            FileOpenMode.ReadWrite => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete),
            _ => File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete),
        };
        long handle = Interlocked.Increment(ref _lastHandle);
        _handles[handle] = file;
        return handle;
    });

    public IoResult Close(long handle)
    {
        if (!_handles.TryRemove(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        file.Dispose();
        return IoResult.Done();
    }

    public IoResult Read(long handle, Span<byte> destination, long offset)
    {
        if (!_handles.TryGetValue(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        try
        {
            return IoResult.Done(RandomAccess.Read(file, destination, offset));
        }
        catch (IOException error)
        {
            return IoResult.Fail(ToErrno(error));
        }
    }

    public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset)
    {
        if (!_handles.TryGetValue(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        try
        {
            RandomAccess.Write(file, source, offset);
            return IoResult.Done(source.Length);
        }
        catch (IOException error)
        {
            return IoResult.Fail(ToErrno(error));
        }
    }

    public IoResult Sync(long handle)
    {
        if (!_handles.TryGetValue(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        return FlushFileBuffers(file) ? IoResult.Done() : IoResult.Fail(ToErrno(Marshal.GetLastPInvokeError()));
    }

    public IoResult SyncData(long handle) => Sync(handle);

    public IoResult Truncate(long handle, long length) => With(handle, file => RandomAccess.SetLength(file, length));

    public IoResult Allocate(long handle, long length) => With(handle, file => RandomAccess.SetLength(file, length));

    public IoResult Length(long handle) =>
        _handles.TryGetValue(handle, out SafeFileHandle? file) ? Try(() => RandomAccess.GetLength(file)) : IoResult.Fail(Errno.BadHandle);

    public IoResult Lock(long handle)
    {
        if (!_handles.TryGetValue(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        var position = new NativeOverlapped { OffsetHigh = int.MaxValue }; // far behind the text, so that it stays readable
        return LockFileEx(file, ExclusiveImmediately, 0, 1, 0, &position)
            ? IoResult.Done()
            : IoResult.Fail(ToErrno(Marshal.GetLastPInvokeError()));
    }

    public IoResult Rename(string from, string to) => Try(() =>
    {
        File.Move(from, to, overwrite: true);
        return 0;
    });

    public IoResult Delete(string path) => Try(() =>
    {
        if (!File.Exists(path)) throw new FileNotFoundException(path);
        File.Delete(path);
        return 0;
    });

    public IoResult CreateDirectory(string path) => Try(() =>
    {
        Directory.CreateDirectory(path);
        return 0;
    });

    public IoResult SyncDirectory(string path) => Directory.Exists(path) ? IoResult.Done() : IoResult.Fail(Errno.NoEntry);

    public IoResult List(string path, ICollection<string> names) => Try(() =>
    {
        foreach (string file in Directory.EnumerateFiles(path)) names.Add(Path.GetFileName(file));
        return names.Count;
    });

    public IoResult Exists(string path) => IoResult.Done(File.Exists(path) ? 1 : 0);

    public IoResult SyncOfUnsyncable()
    {
        // Flushing needs write access; a handle without it is refused (FlushFileBuffers, learn.microsoft.com).
        string itself = Path.Combine(Environment.SystemDirectory, "kernel32.dll");
        IoResult opened = Open(itself, FileOpenMode.Read);
        if (!opened.Ok) return opened;
        IoResult synced = Sync(opened.Value);
        IoResult closed = Close(opened.Value);
        return closed.Ok ? synced : closed;
    }

    private const uint ExclusiveImmediately = 3; // LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushFileBuffers(SafeFileHandle file);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool LockFileEx(
        SafeFileHandle file, uint flags, uint reserved, uint lengthLow, uint lengthHigh, NativeOverlapped* position);

    private IoResult With(long handle, Action<SafeFileHandle> act)
    {
        if (!_handles.TryGetValue(handle, out SafeFileHandle? file)) return IoResult.Fail(Errno.BadHandle);
        return Try(() =>
        {
            act(file);
            return 0;
        });
    }

    private static IoResult Try(Func<long> call)
    {
        try
        {
            return IoResult.Done(call());
        }
        catch (UnauthorizedAccessException)
        {
            return IoResult.Fail(Errno.AccessDenied);
        }
        catch (IOException error)
        {
            return IoResult.Fail(ToErrno(error));
        }
    }

    private static int ToErrno(IOException error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => Errno.NoEntry,
        _ => ToErrno(error.HResult & 0xFFFF),
    };

    // winerror.h
    private static int ToErrno(int code) => code switch
    {
        2 or 3 => Errno.NoEntry,
        5 => Errno.AccessDenied,
        6 => Errno.BadHandle,
        19 => Errno.ReadOnlyFileSystem,
        32 or 33 => Errno.WouldBlock,
        39 or 112 => Errno.NoSpace,
        80 or 183 => Errno.Exists,
        1295 => Errno.QuotaExceeded,
        _ => Errno.InputOutput,
    };
}
