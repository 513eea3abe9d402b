namespace NodeAgent.Sampling.Cgroups;

/// <summary>What one group's files said; null: the group has no such value.</summary>
internal struct CgroupReading
{
    public ulong? CpuUsageNs;
    public ulong? CpuUserNs;
    public ulong? CpuSystemNs;
    public ulong? CpuPeriods;
    public ulong? CpuThrottledPeriods;
    public ulong? CpuThrottledNs;
    public ulong? MemoryBytes;
    public ulong? MemoryInactiveFileBytes;
    public ulong? MemoryLimitBytes;
    public ulong? OomKills;
    public ulong? ReadBytes;
    public ulong? WrittenBytes;
    public ulong? Reads;
    public ulong? Writes;
    public ulong? Pids;
}
