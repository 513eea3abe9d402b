using System.Text.RegularExpressions;

namespace NodeAgent.Sampling.Filesystem;

/// <summary>Mounts that hold no data of their own.</summary>
internal static partial class MountFilter
{
    public static bool IsExcluded(string mountPoint, string type) => MountPoints().IsMatch(mountPoint) || Types().IsMatch(type);

    // node_exporter's default, plus the mounts a container runtime and a kubelet make for each pod (the kube-prometheus
    // setting). Debian's package also hides /mnt, /media and /run; /mnt is where data sets live on GPU hosts, so we do not.
    [GeneratedRegex(
        @"^/(dev|proc|run/credentials/.+|sys|run/k3s/containerd/.+|run/containerd/.+|run/user/.+|run/netns|run/docker/netns/.+"
        + @"|var/lib/docker/.+|var/lib/containers/storage/.+|var/lib/kubelet/pods/.+)($|/)",
        RegexOptions.CultureInvariant)]
    private static partial Regex MountPoints();

    // node_exporter's default of --collector.filesystem.fs-types-exclude, plus two newer kernel file systems without data.
    [GeneratedRegex(
        "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay"
        + "|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Types();
}
