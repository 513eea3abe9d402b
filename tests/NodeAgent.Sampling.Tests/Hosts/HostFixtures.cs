using System.Runtime.CompilerServices;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>The hosts under tests/fixtures/hosts: trees of /proc and /sys, captured or composed after the kernel's formats.</summary>
internal static class HostFixtures
{
    public static string Directory { get; } = Path.GetFullPath(Path.Combine(SourceDirectory(), "../../fixtures/hosts"));

    public static IEnumerable<string> Names =>
        System.IO.Directory.GetDirectories(Directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public static HostRoots Roots(string host)
    {
        string root = Path.Combine(Directory, host);
        return new HostRoots(Path.Combine(root, "proc"), Path.Combine(root, "sys"), Path.Combine(root, "etc"));
    }

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
