namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Tells from a group's path what it is. Paths as made by systemd, Kubernetes (both cgroup drivers), Docker, containerd, CRI-O,
/// Podman, LXC and Slurm's task/cgroup plugin of versions 1 and 2. Pure; any text is fine.
/// </summary>
internal static class CgroupClassifier
{
    private const int ContainerIdLength = 64; // sha256 in hex
    private const int ShortIdLength = 12; // what docker ps and crictl ps print

    private static readonly System.Buffers.SearchValues<char> LowerHex = System.Buffers.SearchValues.Create("0123456789abcdef");
    private static readonly string[] ContainerPrefixes = ["docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-", "containerd-"];

    /// <summary>Null: a group that is of no interest by itself, though groups below it may be.</summary>
    /// <param name="path">Below the hierarchy's root, without a slash at its begin: "system.slice/sshd.service".</param>
    public static CgroupIdentity? Classify(string path)
    {
        string[] segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (segments.Length == 0)
        {
            return null;
        }

        ReadOnlySpan<string> ancestors = segments.AsSpan(0, segments.Length - 1);
        string leaf = segments[^1];
        if (JobId(leaf, ancestors) is { } job)
        {
            return new CgroupIdentity(CgroupKind.Job, job);
        }

        if (PodUid(leaf, ancestors) is { } pod)
        {
            return new CgroupIdentity(CgroupKind.Pod, pod);
        }

        if (ContainerName(leaf) is { } container)
        {
            return new CgroupIdentity(CgroupKind.Container, container, PodOf(ancestors));
        }

        return ClassifyUnit(leaf, ancestors);
    }

    /// <summary>Whether groups below can be of interest. Inside jobs and containers they belong to the job or container.</summary>
    public static bool MayHaveInterestingChildren(CgroupIdentity? identity) =>
        identity is not { Kind: CgroupKind.Job or CgroupKind.Container };

    // Units count where all above them are slices: what runs inside user@1000.service is that user's own affair.
    private static CgroupIdentity? ClassifyUnit(string leaf, ReadOnlySpan<string> ancestors)
    {
        foreach (string ancestor in ancestors)
        {
            if (!ancestor.EndsWith(".slice", StringComparison.Ordinal))
            {
                return null;
            }
        }

        int dot = leaf.LastIndexOf('.');
        return (dot < 0 ? "" : leaf[dot..]) switch
        {
            ".service" => new CgroupIdentity(CgroupKind.Service, leaf),
            ".scope" => new CgroupIdentity(CgroupKind.Scope, leaf),
            ".slice" => new CgroupIdentity(CgroupKind.Slice, leaf),
            _ => null,
        };
    }

    // v1: slurm/uid_1000/job_42 (or slurm_NODE/...); v2: system.slice/slurmstepd.scope/job_42 (or NODE_slurmstepd.scope).
    private static string? JobId(string leaf, ReadOnlySpan<string> ancestors)
    {
        if (!leaf.StartsWith("job_", StringComparison.Ordinal) || leaf.Length == 4 || leaf.AsSpan(4).ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        foreach (string ancestor in ancestors)
        {
            if (ancestor.StartsWith("slurm", StringComparison.Ordinal) || ancestor.EndsWith("slurmstepd.scope", StringComparison.Ordinal))
            {
                return leaf[4..];
            }
        }

        return null;
    }

    // cgroupfs driver: kubepods/burstable/podUID; systemd driver: kubepods-burstable-podUID.slice with underscores in the uid.
    private static string? PodUid(string leaf, ReadOnlySpan<string> ancestors)
    {
        if (leaf.StartsWith("kubepods-", StringComparison.Ordinal) && leaf.EndsWith(".slice", StringComparison.Ordinal))
        {
            int at = leaf.IndexOf("-pod", "kubepods".Length, StringComparison.Ordinal);
            return at < 0 ? null : NonEmpty(leaf[(at + 4)..^".slice".Length].Replace('_', '-'));
        }

        if (!leaf.StartsWith("pod", StringComparison.Ordinal))
        {
            return null;
        }

        foreach (string ancestor in ancestors)
        {
            if (ancestor is "kubepods" or "kubepods.slice")
            {
                return NonEmpty(leaf[3..]);
            }
        }

        return null;
    }

    private static string PodOf(ReadOnlySpan<string> ancestors)
    {
        for (int i = ancestors.Length - 1; i >= 0; i--)
        {
            if (PodUid(ancestors[i], ancestors[..i]) is { } pod)
            {
                return pod;
            }
        }

        return "";
    }

    private static string? ContainerName(string leaf)
    {
        const string LxcPayload = "lxc.payload.";
        if (leaf.StartsWith(LxcPayload, StringComparison.Ordinal))
        {
            return NonEmpty(leaf[LxcPayload.Length..]);
        }

        // containerd without its systemd driver writes kubepods-...slice:cri-containerd:ID.
        ReadOnlySpan<char> id = leaf.AsSpan(leaf.LastIndexOf(':') + 1);
        id = id.EndsWith(".scope") ? id[..^".scope".Length] : id;
        foreach (string prefix in ContainerPrefixes)
        {
            if (id.StartsWith(prefix))
            {
                id = id[prefix.Length..];
                break;
            }
        }

        bool isId = id.Length == ContainerIdLength && !id.ContainsAnyExcept(LowerHex);
        return isId ? id[..ShortIdLength].ToString() : null;
    }

    private static string? NonEmpty(string text) => text.Length == 0 ? null : text;
}
