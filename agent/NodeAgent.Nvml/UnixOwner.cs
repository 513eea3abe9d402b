using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Nvml;

/// <summary>Who owns a file and can write it; the framework tells the mode but not the owner.</summary>
[UnsupportedOSPlatform("windows")]
public static partial class UnixOwner
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint OwnerOnly = 8; // STATX_UID
    private const int OwnerOffset = 20; // struct statx: mask 0, blksize 4, attributes 8, nlink 16, uid 20
    private const int StatxBytes = 256;

    /// <summary>Nobody but root and this process' user can write the file or folder. False where it cannot be looked at.</summary>
    public static bool IsOutOfOthersReach(string path) =>
        TryGet(path, out uint owner) && NvmlLocator.IsTrusted(owner, File.GetUnixFileMode(path), GetEffectiveUser());

    /// <summary>False where the file cannot be looked at.</summary>
    internal static unsafe bool TryGet(string path, out uint owner)
    {
        byte* result = stackalloc byte[StatxBytes];
        bool isKnown = Statx(CurrentFolder, path, 0, OwnerOnly, result) == 0;
        owner = isKnown ? *(uint*)(result + OwnerOffset) : uint.MaxValue;
        return isKnown;
    }

    // In glibc since 2.28 and musl since 1.2; a kernel older than 4.11 has no driver that we could read.
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* result);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint GetEffectiveUser();
}
