using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Commands.Policy;

/// <summary>
/// Whether a file can have been written by root alone. Everything that widens what the actuator does, the policy and the programs it starts,
/// must pass; links are not followed, because who owns the link decides where it leads.
/// </summary>
[UnsupportedOSPlatform("windows")]
public static partial class FileTrust
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint TypeModeOwner = 1 | 2 | 8; // STATX_TYPE, STATX_MODE, STATX_UID
    private const int OwnerOffset = 20; // struct statx: mask 0, blksize 4, attributes 8, nlink 16, uid 20, gid 24, mode 28
    private const int ModeOffset = 28;
    private const int StatxBytes = 256;
    private const int TypeMask = 0xf000;
    private const int RegularFile = 0x8000;
    private const int Directory = 0x4000;
    private const int Link = 0xa000;
    private const int WritableByOthers = 0x12; // 0022
    private const int MaxLinks = 8;

    /// <summary>Null: a regular file of the trusted owner's, in folders of theirs, that nobody else may write.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="trustedOwner">User id besides 0 that counts as trusted; tests that do not run as root name their own.</param>
    public static string? Problem(string path, uint trustedOwner = 0)
    {
        if (!Path.IsPathFullyQualified(path)) return $"{path}: an absolute path is wanted";
        if (Inspect(path) is not { } file) return $"{path}: cannot be looked at";
        if ((file.Mode & TypeMask) != RegularFile) return $"{path}: a regular file is wanted, no link";
        return ProblemOf(path, file, trustedOwner) ?? ProblemOfFolders(path, trustedOwner);
    }

    /// <summary>As <see cref="Problem"/>, for a program: links are followed when they and their folders belong to the trusted owner.</summary>
    public static string? ProblemOfProgram(string path, uint trustedOwner = 0)
    {
        for (int links = 0; links < MaxLinks; links++)
        {
            if (!Path.IsPathFullyQualified(path)) return $"{path}: an absolute path is wanted";
            if (Inspect(path) is not { } file) return $"{path}: cannot be looked at";
            if ((file.Mode & TypeMask) != Link) return Problem(path, trustedOwner);
            if (file.Owner != 0 && file.Owner != trustedOwner) return $"{path}: the link belongs to user {file.Owner}";
            if (ProblemOfFolders(path, trustedOwner) is { } problem) return problem;
            string? target = new FileInfo(path).LinkTarget;
            if (target is null) return $"{path}: the link cannot be read";
            path = Path.GetFullPath(target, Path.GetDirectoryName(path)!);
        }

        return $"{path}: more than {MaxLinks} links";
    }

    /// <summary>A file itself: no link, pipe, socket, device or folder.</summary>
    public static bool IsRegularFile(string path) => Inspect(path) is { } entry && (entry.Mode & TypeMask) == RegularFile;

    // A folder that others may write is one in which others may put another file under the name. The sticky bit prevents just that.
    private static string? ProblemOfFolders(string path, uint trustedOwner)
    {
        for (string? folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Inspect(folder) is not { } entry) return $"{folder}: cannot be looked at";
            bool isLink = (entry.Mode & TypeMask) == Link; // like /bin -> /usr/bin: only its owner counts
            bool isSticky = (entry.Mode & TypeMask) == Directory && (entry.Mode & 0x200) != 0;
            if (ProblemOf(folder, isLink || isSticky ? entry with { Mode = entry.Mode & ~WritableByOthers } : entry, trustedOwner) is { } problem) return problem;
        }

        return null;
    }

    private static string? ProblemOf(string path, Entry entry, uint trustedOwner) =>
        entry.Owner != 0 && entry.Owner != trustedOwner ? $"{path}: belongs to user {entry.Owner}, not to root"
        : (entry.Mode & WritableByOthers) != 0 ? $"{path}: others than its owner may write it (mode {Convert.ToString(entry.Mode & 0xfff, 8)})"
        : null;

    private static unsafe Entry? Inspect(string path)
    {
        byte* result = stackalloc byte[StatxBytes];
        return Statx(CurrentFolder, path, NoFollow, TypeModeOwner, result) == 0
            ? new Entry(*(uint*)(result + OwnerOffset), *(ushort*)(result + ModeOffset))
            : null;
    }

    // In glibc since 2.28 and musl since 1.2.
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* result);

    private readonly record struct Entry(uint Owner, int Mode);
}
