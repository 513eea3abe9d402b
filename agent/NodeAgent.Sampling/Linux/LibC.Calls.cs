using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

// The calls of the mount, event and directory readers. Errors come back as errno: a log without news answers EAGAIN every time.
internal static partial class LibC
{
    // asm-generic/errno-base.h and errno.h; the same on x86-64 and arm64.
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int EPIPE = 32;

    private const int NonBlocking = 0x800;

    /// <summary>errno of the last failed call on this thread.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>Opens for reading without ever waiting; an invalid handle means that <see cref="Errno"/> tells why not.</summary>
    public static SafeFileHandle OpenNonBlocking(string path) => OpenText(path, OpenReadOnly | OpenCloseOnExec | NonBlocking);

    /// <summary>Standard input, made to never wait, where it is the file <paramref name="path"/>; else null.</summary>
    public static SafeFileHandle? TryTakeStandardInput(string path)
    {
        const int SetFlags = 4; // F_SETFL, asm-generic/fcntl.h
        if (!OperatingSystem.IsLinux() || new FileInfo("/proc/self/fd/0").LinkTarget != path || SetFileFlags(0, SetFlags, NonBlocking) != 0)
        {
            return null;
        }

        return new SafeFileHandle(0, ownsHandle: false);
    }

    /// <summary>read(2). -1 and <see cref="Errno"/> where the kernel refused.</summary>
    public static unsafe int Read(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)ReadNext(file, start, (nuint)buffer.Length);
        }
    }

    /// <summary>statfs(2) of a NUL-terminated path. False and <see cref="Errno"/> where the kernel refused.</summary>
    public static unsafe bool TryStatFs(ReadOnlySpan<byte> pathWithNul, out StatFs result)
    {
        fixed (byte* path = pathWithNul)
        fixed (StatFs* into = &result)
        {
            return StatFileSystem(path, into) == 0;
        }
    }

    /// <summary>Nanoseconds since boot without suspend (CLOCK_MONOTONIC): the epoch of the kernel log's time stamps.</summary>
    public static unsafe long MonotonicNs()
    {
        const int ClockMonotonic = 1;
        long* time = stackalloc long[2];
        return GetTime(ClockMonotonic, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenText(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int SetFileFlags(int fd, int command, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint ReadNext(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true)]
    private static unsafe partial int StatFileSystem(byte* path, StatFs* result);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static unsafe partial int GetTime(int clock, long* time);
}

/// <summary>struct statfs of 64-bit Linux (glibc bits/statfs.h and musl agree): 120 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatFs
{
    public long Type;
    public long BlockSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public long FileSystemId;
    public long NameLength;
    public long FragmentSize;
    public long Flags;
    public long Spare0;
    public long Spare1;
    public long Spare2;
    public long Spare3;
}
