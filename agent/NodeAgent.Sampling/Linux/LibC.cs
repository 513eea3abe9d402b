using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// The few system calls the framework wraps in exceptions or allocations. Errors come back as errno, because on this path a
/// refusal (a sensor that sleeps, a link without carrier, a log without news) is an everyday answer.
/// </summary>
internal static unsafe partial class LibC
{
    // Numbers of asm-generic/errno-base.h and errno.h; the same on x86-64 and arm64.
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int EPIPE = 32;

    private const int ReadOnly = 0;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    /// <summary>errno of the last failed call on this thread.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>Opens for reading; an invalid handle means that <see cref="Errno"/> tells why not.</summary>
    public static SafeFileHandle OpenForRead(string path, bool nonBlocking = false) =>
        open(path, ReadOnly | CloseOnExec | (nonBlocking ? NonBlocking : 0));

    /// <summary>pread(2). -1 and <see cref="Errno"/> where the kernel refused.</summary>
    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            return (int)pread(file, start, (nuint)buffer.Length, offset);
        }
    }

    /// <summary>read(2). -1 and <see cref="Errno"/> where the kernel refused.</summary>
    public static int Read(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)read(file, start, (nuint)buffer.Length);
        }
    }

    /// <summary>Entries of an open directory from its start: lseek(2) to 0.</summary>
    public static bool Rewind(SafeFileHandle directory) => lseek(directory, 0, 0) == 0;

    /// <summary>getdents64(2): packed linux_dirent64 records; 0 at the end, -1 where the kernel refused.</summary>
    public static int ReadEntries(SafeFileHandle directory, Span<byte> buffer)
    {
        // By number, not by name: glibc has the wrapper only since 2.30, and RHEL 8 carries 2.28.
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;
        fixed (byte* start = buffer)
        {
            return (int)syscall(number, directory, start, (nuint)buffer.Length);
        }
    }

    /// <summary>statfs(2) of a NUL-terminated path. False and <see cref="Errno"/> where the kernel refused.</summary>
    public static bool TryStatFs(ReadOnlySpan<byte> pathWithNul, out StatFs result)
    {
        fixed (byte* path = pathWithNul)
        fixed (StatFs* into = &result)
        {
            return statfs(path, into) == 0;
        }
    }

    /// <summary>Nanoseconds since boot without suspend (CLOCK_MONOTONIC): the epoch of the kernel log's time stamps.</summary>
    public static long MonotonicNs()
    {
        const int ClockMonotonic = 1;
        long* time = stackalloc long[2];
        return clock_gettime(ClockMonotonic, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(SafeFileHandle file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statfs(byte* path, StatFs* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int clock_gettime(int clock, long* time);
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
