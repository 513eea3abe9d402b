using System.Globalization;
using System.Runtime.InteropServices;

namespace NodeAgent.Benchmarks;

/// <summary>CPU and memory of another process as the kernel accounts them.</summary>
internal sealed partial class ProcessMeter
{
    private readonly int _pid;
    private readonly int _clock;

    internal ProcessMeter(int pid)
    {
        _pid = pid;
        if (GetCpuClock(pid, out _clock) != 0)
        {
            throw new InvalidOperationException($"process {pid} has no CPU clock");
        }
    }

    /// <summary>User and system time of all its threads, ended ones included, in nanoseconds (clock_getcpuclockid(3)).</summary>
    internal long CpuNs()
    {
        TimeSpec now = default;
        return GetTime(_clock, ref now) == 0
            ? (now.Seconds * 1_000_000_000) + now.Nanoseconds
            : throw new InvalidOperationException($"process {_pid} has ended");
    }

    /// <summary>
    /// User and system time of the live threads that bear a name (at most 15 characters), in nanoseconds
    /// (/proc/PID/task/TID/schedstat, first field: include/linux/sched.h, sched_info).
    /// </summary>
    internal long ThreadCpuNs(string name) => ThreadsCpuNs().GetValueOrDefault(name);

    /// <summary>As <see cref="ThreadCpuNs"/>, of all live threads by their names; those that bear the same are added up.</summary>
    internal Dictionary<string, long> ThreadsCpuNs()
    {
        Dictionary<string, long> byName = [];
        foreach (string task in Directory.EnumerateDirectories($"/proc/{_pid}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                long cpu = long.Parse(File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
                byName[name] = byName.GetValueOrDefault(name) + cpu;
            }
            catch (IOException)
            {
                continue; // a thread that ended between the listing and the look
            }
        }

        return byName;
    }

    /// <summary>Resident set in MiB (/proc/PID/status).</summary>
    internal double RssMib() => ReadKb("status", "VmRSS:") / 1024;

    /// <summary>Proportional set in MiB (/proc/PID/smaps_rollup); costs the kernel a walk, so not while measuring CPU.</summary>
    internal double PssMib() => ReadKb("smaps_rollup", "Pss:") / 1024;

    private double ReadKb(string file, string key) => double.Parse(
        File.ReadLines($"/proc/{_pid}/{file}").First(line => line.StartsWith(key, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1].Replace(key, "", StringComparison.Ordinal).Trim(),
        CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "clock_getcpuclockid")]
    private static partial int GetCpuClock(int pid, out int clock);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, ref TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
