using System.Globalization;
using NodeAgent.Actuation.Host;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// One limit of one cgroup: the file, what to write, and how its text reads. Documentation/admin-guide/cgroup-v2.rst; for v1
/// cgroup-v1/memory.rst, cgroup-v1/blkio-controller.rst and scheduler/sched-bwc.rst.
/// </summary>
internal sealed record CgroupKnob(string Name, string File, string Wanted)
{
    private const long PageBytes = 4096;

    /// <summary>v1 writes "none" for memory as a number of pages just below 2^63.</summary>
    private const long Unlimited = 1L << 62;

    internal bool IsThere => System.IO.File.Exists(File);

    /// <summary>For limits of a device, "MAJOR:MINOR": the file has a line for each.</summary>
    internal string Device { get; init; } = "";

    /// <summary>What the file says now, in the form in which it can be written; null: it cannot be read.</summary>
    internal string? Read()
    {
        string? text = KernelFile.TryRead(File);
        if (text is null || Device.Length == 0) return text;
        string? line = text.Split('\n').FirstOrDefault(entry => entry.StartsWith(Device + " ", StringComparison.Ordinal));
        return line ?? $"{Device} {NoLimitOfDevice}";
    }

    /// <summary>Whether what reads is what was written, as the kernel rounds it.</summary>
    internal static bool Matches(string wanted, string? read)
    {
        if (read is null) return false;
        if (wanted == read) return true;
        string[] want = wanted.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] got = read.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // io.max answers with keys that nobody asked for; what was asked for must be among them.
        if (want.Any(part => part.Contains('=', StringComparison.Ordinal))) return want.All(part => got.Contains(part));
        return want.Length == got.Length && want.Zip(got).All(pair => Same(pair.First, pair.Second));
    }

    private string NoLimitOfDevice =>
        Name switch { "io.max read" => "rbps=max", "io.max write" => "wbps=max", _ => "0" };

    private static bool Same(string wanted, string read) =>
        wanted == read
        || (long.TryParse(wanted, CultureInfo.InvariantCulture, out long want) && long.TryParse(read, CultureInfo.InvariantCulture, out long got)
            && ((want >= PageBytes && want / PageBytes == got / PageBytes) || (want < 0 && got > Unlimited)));
}
