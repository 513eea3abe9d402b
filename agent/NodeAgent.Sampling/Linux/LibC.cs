using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// The system calls the samplers make themselves, because the framework's wrappers allocate, throw where a device may
/// simply be gone, or do not exist.
/// </summary>
internal static partial class LibC
{
    internal const int OpenReadOnly = 0;
    internal const int OpenDirectory = 0x10000; // asm-generic/fcntl.h; arm64 differs, see OpenDirectoryArm64
    internal const int OpenDirectoryArm64 = 0x4000; // arch/arm64/include/uapi/asm/fcntl.h
    internal const int OpenCloseOnExec = 0x80000;

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static unsafe partial nint PRead(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    internal static unsafe partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    internal static unsafe partial int OpenAt(int directory, byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(int fd, long offset, int whence);

    // statx and getdents64 have libc wrappers only since glibc 2.28 and 2.30; the runtime is content with 2.27.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static unsafe partial nint SysCall(nint number, nint directory, byte* path, nint flags, nint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static unsafe partial nint SysCall(nint number, nint fd, byte* buffer, nuint count);
}
