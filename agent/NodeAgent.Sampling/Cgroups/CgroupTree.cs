using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Walks the trees of control groups. <see cref="Fingerprint"/> tells without allocating whether any directory came or went;
/// <see cref="Find"/>, which allocates, is needed only then.
/// </summary>
internal sealed class CgroupTree(CgroupHierarchy hierarchy)
{
    /// <summary>Kubernetes in a service has 6 levels; more is nobody's service, pod or job.</summary>
    private const int MaxDepth = 8;

    /// <summary>Directories looked at in one walk, so that a host with a runaway of groups costs no more than this.</summary>
    private const int MaxDirectories = 20_000;

    private readonly byte[][] _roots = [.. hierarchy.Trees.Select(KernelDirectory.PathBytes)];
    private readonly byte[][] _buffers = [.. Enumerable.Range(0, MaxDepth + 1).Select(_ => new byte[4096])];
    private int _visited;

    /// <summary>The last walk stopped at the bound.</summary>
    public bool IsTruncated => _visited >= MaxDirectories;

    /// <summary>A number that depends on the names and places of all groups. Order of listing does not matter.</summary>
    public ulong Fingerprint()
    {
        _visited = 0;
        ulong sum = 0;
        foreach (byte[] root in _roots)
        {
            KernelDirectory directory = KernelDirectory.Open(root, _buffers[0]);
            sum = (sum * 31) + Walk(ref directory, depth: 0, parentHash: 14695981039346656037);
        }

        return sum;
    }

    /// <summary>All groups of interest, most important first, then by path. The same group in several trees is one.</summary>
    public List<(string Path, CgroupIdentity Identity)> Find()
    {
        Dictionary<string, CgroupIdentity?> seen = new(StringComparer.Ordinal);
        foreach (string tree in hierarchy.Trees)
        {
            AddBelow(tree, "", 0, seen);
        }

        HashSet<CgroupIdentity> unique = [];
        List<(string Path, CgroupIdentity Identity)> found = [];
        foreach ((string path, CgroupIdentity? identity) in seen.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (identity is { } known && unique.Add(known))
            {
                found.Add((path, known));
            }
        }

        found.Sort((left, right) => left.Identity.Kind != right.Identity.Kind
            ? left.Identity.Kind.CompareTo(right.Identity.Kind)
            : string.CompareOrdinal(left.Path, right.Path));
        return found;
    }

    private ulong Walk(ref KernelDirectory directory, int depth, ulong parentHash)
    {
        ulong sum = 0;
        try
        {
            while (_visited < MaxDirectories && directory.TryReadEntry(out ReadOnlySpan<byte> name, out byte type))
            {
                if (type != KernelDirectory.TypeDirectory)
                {
                    continue;
                }

                _visited++;
                ulong hash = Hash(parentHash, name);
                sum += hash * 0x9E3779B97F4A7C15; // a sum, because the order of entries may differ
                if (depth < MaxDepth)
                {
                    KernelDirectory child = directory.OpenChild(name, _buffers[depth + 1]);
                    sum += Walk(ref child, depth + 1, hash);
                }
            }
        }
        finally
        {
            directory.Dispose();
        }

        return sum;
    }

    private static ulong Hash(ulong hash, ReadOnlySpan<byte> name)
    {
        foreach (byte b in name)
        {
            hash = (hash ^ b) * 1099511628211; // FNV-1a
        }

        return (hash ^ (byte)'/') * 1099511628211;
    }

    private static void AddBelow(string directory, string relative, int depth, Dictionary<string, CgroupIdentity?> seen)
    {
        if (depth > MaxDepth)
        {
            return;
        }

        string[] children;
        try
        {
            children = Directory.GetDirectories(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return; // ended between the listing of its parent and now, or not ours to see
        }

        foreach (string child in children)
        {
            if (seen.Count >= MaxDirectories)
            {
                return;
            }

            string path = relative.Length == 0 ? Path.GetFileName(child) : $"{relative}/{Path.GetFileName(child)}";
            CgroupIdentity? identity = CgroupClassifier.Classify(path);
            seen[path] = identity;
            if (CgroupClassifier.MayHaveInterestingChildren(identity))
            {
                AddBelow(child, path, depth + 1, seen);
            }
        }
    }
}
