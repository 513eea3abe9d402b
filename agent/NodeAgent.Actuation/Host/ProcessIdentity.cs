using System.Globalization;

namespace NodeAgent.Actuation.Host;

/// <summary>What /proc/PID/stat and status say of a process (proc_pid_stat(5)); pid and start time together are one process.</summary>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTimeTicks, char State, int ParentPid, uint Flags, uint Uid)
{
    private const uint KernelThreadFlag = 0x00200000; // PF_KTHREAD, include/linux/sched.h

    internal bool IsKernelThread => (Flags & KernelThreadFlag) != 0;

    /// <summary>Dead, and only its parent has not looked yet.</summary>
    internal bool IsGone => State is 'Z' or 'X' or 'x';

    /// <summary>Null: there is no such process.</summary>
    internal static ProcessIdentity? TryRead(string proc, int pid)
    {
        string folder = Path.Combine(proc, pid.ToString(CultureInfo.InvariantCulture));
        if (KernelFile.TryRead(Path.Combine(folder, "stat")) is not { } stat || KernelFile.TryRead(Path.Combine(folder, "status")) is not { } status) return null;

        // The name stands in parentheses and may contain anything, parentheses too: what counts begins behind the last one.
        int end = stat.LastIndexOf(')');
        if (end < 0 || end + 2 >= stat.Length) return null;
        string[] fields = stat[(end + 2)..].Split(' ');
        string? uidLine = status.Split('\n').FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        if (fields.Length < 20 || uidLine is null) return null;
        return int.TryParse(fields[1], CultureInfo.InvariantCulture, out int parent)
            && uint.TryParse(fields[6], CultureInfo.InvariantCulture, out uint flags)
            && ulong.TryParse(fields[19], CultureInfo.InvariantCulture, out ulong start)
            && uint.TryParse(uidLine.Split('\t')[1], CultureInfo.InvariantCulture, out uint uid)
            ? new ProcessIdentity(pid, start, fields[0][0], parent, flags, uid)
            : null;
    }
}
