using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Linux;

/// <summary>Size of a file by its path, from statx(2), with no allocation.</summary>
internal static class FileSize
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int WantSize = 0x200; // STATX_SIZE
    private const int StatxBytes = 256; // struct statx
    private const int SizeOffset = 40; // stx_size

    private static readonly nint StatX = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 291 : 332;

    /// <param name="path">From <see cref="KernelDirectory.PathBytes"/>.</param>
    /// <param name="bytes">Its size; 0 where it could not be told.</param>
    public static unsafe bool TryRead(ReadOnlySpan<byte> path, out long bytes)
    {
        byte* result = stackalloc byte[StatxBytes];
        fixed (byte* start = path)
        {
            bool isRead = LibC.SysCall(StatX, CurrentDirectory, start, 0, WantSize, result) == 0;
            bytes = isRead ? *(long*)(result + SizeOffset) : 0;
            return isRead;
        }
    }
}
