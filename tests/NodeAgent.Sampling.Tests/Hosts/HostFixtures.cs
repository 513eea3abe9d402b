using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>The hosts under tests/fixtures/hosts: trees of /proc and /sys, captured or composed after the kernel's formats.</summary>
internal static class HostFixtures
{
    public static string Directory { get; } = Path.GetFullPath(Path.Combine(SourceDirectory(), "../../fixtures/hosts"));

    public static IEnumerable<string> Names =>
        System.IO.Directory.GetDirectories(Directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    // One copy per run of the tests, removed when it ends.
    private static readonly ConcurrentDictionary<string, Lazy<string>> Unpacked = new(StringComparer.Ordinal);

    public static HostRoots Roots(string host)
    {
        string root = Unpacked.GetOrAdd(host, name => new Lazy<string>(() => Unpack(Path.Combine(Directory, name)))).Value;
        return new HostRoots(Path.Combine(root, "proc"), Path.Combine(root, "sys"), Path.Combine(root, "etc"));
    }

    /// <summary>A host with a tree.txt is put together in a temporary directory from that and from its plain files.</summary>
    private static string Unpack(string host)
    {
        string tree = Path.Combine(host, "tree.txt");
        if (!File.Exists(tree))
        {
            return host;
        }

        string root = ScratchHost.CreateDirectory("nodeagent-host-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(root, recursive: true);
        foreach (string file in System.IO.Directory.EnumerateFiles(host, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(root, Path.GetRelativePath(host, file));
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        FixtureTree.Unpack(File.ReadAllText(tree), root);
        return root;
    }

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
