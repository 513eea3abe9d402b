using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Where the control groups are mounted. Version 2: one tree. Version 1: a tree per controller. Hybrid: the controllers in version
/// 1 and a tree of version 2, without controllers, beside them.
/// </summary>
/// <param name="Unified">Tree of version 2; null: none.</param>
/// <param name="IsV2">The controllers are in the unified tree.</param>
/// <param name="Cpu">Version 1's tree of this controller; null: none. So are the others.</param>
internal sealed record CgroupHierarchy(
    string? Unified,
    bool IsV2,
    string? Cpu = null,
    string? CpuAcct = null,
    string? Memory = null,
    string? Blkio = null,
    string? Pids = null)
{
    /// <summary>Null: no control groups on this host.</summary>
    public static CgroupHierarchy? Find(HostRoots roots)
    {
        string root = Path.Combine(roots.Sys, "fs/cgroup");
        if (File.Exists(Path.Combine(root, "cgroup.controllers")))
        {
            return new CgroupHierarchy(root, IsV2: true);
        }

        string unified = Path.Combine(root, "unified");
        CgroupHierarchy found = new(
            File.Exists(Path.Combine(unified, "cgroup.controllers")) ? unified : null,
            IsV2: false,
            Cpu: Existing(root, "cpu", "cpu,cpuacct"),
            CpuAcct: Existing(root, "cpuacct", "cpu,cpuacct"),
            Memory: Existing(root, "memory"),
            Blkio: Existing(root, "blkio"),
            Pids: Existing(root, "pids"));
        return found.Trees.Any() ? found : null;
    }

    /// <summary>Every tree in which a group may have a directory.</summary>
    public IEnumerable<string> Trees =>
        new[] { Unified, Cpu, CpuAcct, Memory, Blkio, Pids }.OfType<string>().Distinct(StringComparer.Ordinal);

    private static string? Existing(string root, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(root, name);
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
