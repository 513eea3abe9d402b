using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>Whose a process is, from its control group; "" for what does not apply. For whoever knows a process id and wants a name.</summary>
/// <param name="Name">The command's name.</param>
/// <param name="Job">Slurm job id.</param>
/// <param name="Pod">Kubernetes pod uid.</param>
/// <param name="Container">Short container id or name.</param>
/// <param name="Unit">systemd unit, where none of the others applies.</param>
/// <param name="StartTicks">When it started, clock ticks since boot: with the process id its identity. 0: it is gone.</param>
public readonly record struct ProcessOwner(string Name, string Job, string Pod, string Container, string Unit, ulong StartTicks)
{
    private const int StartTimeField = 20; // field 22 of /proc/PID/stat, the 20th behind the name

    /// <summary>Reads it; all empty for a process that is gone or of another PID namespace. Allocates: for new processes, not for each tick.</summary>
    public static ProcessOwner Read(HostRoots roots, uint pid)
    {
        string folder = Path.Combine(roots.Proc, pid.ToString());
        ulong started = ReadStart(roots, pid);
        if (started == 0)
        {
            return new ProcessOwner("", "", "", "", "", 0);
        }

        (string job, string pod, string container, string unit) = Classify(ReadAll(Path.Combine(folder, "cgroup")));
        return new ProcessOwner(ReadAll(Path.Combine(folder, "comm")).Trim(), job, pod, container, unit, started);
    }

    /// <summary>When a process started; 0: it is gone.</summary>
    public static ulong ReadStart(HostRoots roots, uint pid) => ParseStart(ReadAll(Path.Combine(roots.Proc, pid.ToString(), "stat")));

    /// <summary>Of a /proc/PID/stat; 0 where it has not that form.</summary>
    internal static ulong ParseStart(string stat)
    {
        int end = stat.LastIndexOf(')');
        string[] fields = end < 0 ? [] : stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length >= StartTimeField && ulong.TryParse(fields[StartTimeField - 1], out ulong ticks) ? ticks : 0;
    }

    /// <summary>
    /// Of a /proc/PID/cgroup: a line "id:controllers:path" for each hierarchy. The nearest group on the way up that is a job, a pod or a
    /// container says whose it is, in whichever hierarchy it is named: with version 1 each controller has its own path.
    /// </summary>
    internal static (string Job, string Pod, string Container, string Unit) Classify(string text)
    {
        string unit = "";
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = line.Split(':', 3) is [_, _, var third] ? third.Trim('/') : "";
            for (string group = path; group.Length > 0; group = group.LastIndexOf('/') is > 0 and var slash ? group[..slash] : "")
            {
                switch (CgroupClassifier.Classify(group))
                {
                    case { Kind: CgroupKind.Job, Name: var job }:
                        return (job, "", "", "");
                    case { Kind: CgroupKind.Container, Name: var container, Pod: var pod }:
                        return ("", pod, container, "");
                    case { Kind: CgroupKind.Pod, Name: var pod }:
                        return ("", pod, "", "");
                    case { Kind: CgroupKind.Service or CgroupKind.Scope, Name: var name }:
                        unit = name;
                        break;
                }
            }
        }

        return ("", "", "", unit);
    }

    private static string ReadAll(string path)
    {
        using KernelFile? file = KernelFile.TryOpen(path, initialBytes: 4 * 1024);
        return file is not null && file.TryRead(out ReadOnlySpan<byte> text) ? System.Text.Encoding.UTF8.GetString(text) : "";
    }
}
