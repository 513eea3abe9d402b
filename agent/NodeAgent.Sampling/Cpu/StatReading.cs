namespace NodeAgent.Sampling.Cpu;

/// <summary>What /proc/stat holds. Reused from tick to tick; arrays grow with the number of processors, up to the kernel's limit.</summary>
internal sealed class StatReading
{
    /// <summary>user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice (proc(5)).</summary>
    public const int ModeCount = 10;

    /// <summary>Largest CONFIG_NR_CPUS (arch/x86/Kconfig).</summary>
    public const int MaxProcessors = 8192;

    /// <summary>total, hi, timer, net_tx, net_rx, block, block_iopoll, tasklet, sched, hrtimer, rcu.</summary>
    public const int SoftirqCount = 11;

    /// <summary>Times of all processors together, in USER_HZ ticks.</summary>
    public ulong[] AllTimes { get; } = new ulong[ModeCount];

    public bool HasAllTimes { get; set; }

    /// <summary>Processors that are online.</summary>
    public int Processors { get; set; }

    /// <summary>Processor numbers in the kernel's order; the first <see cref="Processors"/> are valid. Filled only per core.</summary>
    public int[] Ids { get; private set; } = new int[16];

    /// <summary>Ten times of each processor, in USER_HZ ticks. Filled only per core.</summary>
    public ulong[] Times { get; private set; } = new ulong[16 * ModeCount];

    public ulong? ContextSwitches { get; set; }

    public ulong? Interrupts { get; set; }

    public ulong? BootTimeSeconds { get; set; }

    public ulong? Forks { get; set; }

    public ulong? Running { get; set; }

    public ulong? Blocked { get; set; }

    /// <summary>Soft interrupts by kind, the total first.</summary>
    public ulong[] Softirqs { get; } = new ulong[SoftirqCount];

    /// <summary>How many of <see cref="Softirqs"/> the kernel printed.</summary>
    public int SoftirqsRead { get; set; }

    public void Clear()
    {
        HasAllTimes = false;
        Processors = 0;
        SoftirqsRead = 0;
        ContextSwitches = Interrupts = BootTimeSeconds = Forks = Running = Blocked = null;
    }

    /// <summary>Room for the times of one more processor. False at <see cref="MaxProcessors"/>.</summary>
    public bool TryGrow()
    {
        if (Processors >= MaxProcessors)
        {
            return false;
        }

        if (Processors == Ids.Length)
        {
            int[] ids = Ids;
            ulong[] times = Times;
            Array.Resize(ref ids, ids.Length * 2);
            Array.Resize(ref times, times.Length * 2);
            Ids = ids;
            Times = times;
        }

        return true;
    }
}
