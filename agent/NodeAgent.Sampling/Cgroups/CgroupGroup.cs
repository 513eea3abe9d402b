using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>One group that is sampled: its open files and its columns. Files the host does not have cost neither.</summary>
internal sealed class CgroupGroup : IDisposable
{
    private const int None = -1;
    private const int GoneErrno = 19; // ENODEV: what kernfs says of a removed group

    private readonly bool _isV2;
    private readonly List<KernelFile> _files = [];
    private readonly KernelFile? _cpuStatV2;
    private readonly KernelFile? _cpuStatV1;
    private readonly KernelFile? _cpuacctUsage;
    private readonly KernelFile? _cpuacctStat;
    private readonly KernelFile? _memory;
    private readonly KernelFile? _memoryLimit;
    private readonly KernelFile? _memoryStat;
    private readonly KernelFile? _memoryEvents;
    private readonly KernelFile? _io;
    private readonly KernelFile? _ioOperations;
    private readonly KernelFile? _pids;
    private readonly KernelBuffer _buffer;

    private static readonly MetricDefinition[] Metrics =
    [
        CgroupMetrics.CpuSecondsTotal, CgroupMetrics.CpuUserSecondsTotal, CgroupMetrics.CpuSystemSecondsTotal,
        CgroupMetrics.CpuPeriodsTotal, CgroupMetrics.CpuThrottledPeriodsTotal, CgroupMetrics.CpuThrottledSecondsTotal,
        CgroupMetrics.MemoryBytes, CgroupMetrics.MemoryWorkingSetBytes, CgroupMetrics.MemoryLimitBytes, CgroupMetrics.OomKillsTotal,
        CgroupMetrics.ReadBytesTotal, CgroupMetrics.WrittenBytesTotal, CgroupMetrics.ReadsTotal, CgroupMetrics.WritesTotal, CgroupMetrics.Pids,
    ];

    private readonly int[] _columns = new int[Metrics.Length];

    public CgroupGroup(CgroupHierarchy hierarchy, string path, CgroupIdentity identity, KernelBuffer buffer)
    {
        Path = path;
        Identity = identity;
        _isV2 = hierarchy.IsV2;
        _buffer = buffer;
        if (_isV2)
        {
            _cpuStatV2 = Open(hierarchy.Unified, path, "cpu.stat");
            _memory = Open(hierarchy.Unified, path, "memory.current");
            _memoryLimit = Open(hierarchy.Unified, path, "memory.max");
            _memoryStat = Open(hierarchy.Unified, path, "memory.stat");
            _memoryEvents = Open(hierarchy.Unified, path, "memory.events");
            _io = Open(hierarchy.Unified, path, "io.stat");
            _pids = Open(hierarchy.Unified, path, "pids.current");
            return;
        }

        _cpuacctUsage = Open(hierarchy.CpuAcct, path, "cpuacct.usage");
        _cpuacctStat = Open(hierarchy.CpuAcct, path, "cpuacct.stat");
        _cpuStatV1 = Open(hierarchy.Cpu, path, "cpu.stat");

        // Without CPU accounting in version 1, the unified tree of a hybrid host still counts the time.
        _cpuStatV2 = _cpuacctUsage is null ? Open(hierarchy.Unified, path, "cpu.stat") : null;
        _memory = Open(hierarchy.Memory, path, "memory.usage_in_bytes");
        _memoryLimit = Open(hierarchy.Memory, path, "memory.limit_in_bytes");
        _memoryStat = Open(hierarchy.Memory, path, "memory.stat");
        _memoryEvents = Open(hierarchy.Memory, path, "memory.oom_control");
        _io = Open(hierarchy.Blkio, path, "blkio.throttle.io_service_bytes_recursive")
            ?? Open(hierarchy.Blkio, path, "blkio.throttle.io_service_bytes");
        _ioOperations = Open(hierarchy.Blkio, path, "blkio.throttle.io_serviced_recursive")
            ?? Open(hierarchy.Blkio, path, "blkio.throttle.io_serviced");
        _pids = Open(hierarchy.Pids, path, "pids.current");
    }

    /// <summary>Below the hierarchy's root.</summary>
    public string Path { get; }

    public CgroupIdentity Identity { get; }

    /// <summary>A read said that the group is gone.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Adds the columns that the group's files can fill.</summary>
    public void AddColumns(SeriesTable series)
    {
        Label kind = new("kind", Identity.Kind.ToString().ToLowerInvariant());
        Label name = new("name", Identity.Name);
        Label pod = new("pod", Identity.Pod);
        for (int i = 0; i < Metrics.Length; i++)
        {
            _columns[i] = CanFill(i) ? series.Add(Metrics[i], kind, name, pod) : None;
        }
    }

    /// <summary>
    /// Takes the columns of a group that was the same to people before, such as the service before its restart. False: it had others.
    /// </summary>
    public bool TryTakeColumns(CgroupGroup before)
    {
        if (before.Identity != Identity)
        {
            return false;
        }

        for (int i = 0; i < Metrics.Length; i++)
        {
            if (CanFill(i) != (before._columns[i] != None))
            {
                return false;
            }
        }

        before._columns.CopyTo(_columns, 0);
        return true;
    }

    /// <summary>Sets the group's columns. False: a file did not have its form.</summary>
    public bool Sample(SeriesTable series)
    {
        CgroupReading reading = default;
        bool isWellFormed = ReadCpu(ref reading) & ReadMemory(ref reading) & ReadIo(ref reading) & ReadPids(ref reading);
        SetSeconds(series, 0, reading.CpuUsageNs);
        SetSeconds(series, 1, reading.CpuUserNs);
        SetSeconds(series, 2, reading.CpuSystemNs);
        Set(series, 3, reading.CpuPeriods);
        Set(series, 4, reading.CpuThrottledPeriods);
        SetSeconds(series, 5, reading.CpuThrottledNs);
        Set(series, 6, reading.MemoryBytes);
        Set(series, 7, WorkingSet(reading));
        Set(series, 8, reading.MemoryLimitBytes);
        Set(series, 9, reading.OomKills);
        Set(series, 10, reading.ReadBytes);
        Set(series, 11, reading.WrittenBytes);
        Set(series, 12, reading.Reads);
        Set(series, 13, reading.Writes);
        Set(series, 14, reading.Pids);
        return isWellFormed;
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    // The indices are those of Metrics.
    private bool CanFill(int metric) => metric switch
    {
        0 => _cpuStatV2 is not null || _cpuacctUsage is not null,
        1 or 2 => _cpuStatV2 is not null || _cpuacctStat is not null,
        3 or 4 or 5 => _isV2 ? _cpuStatV2 is not null : _cpuStatV1 is not null,
        6 => _memory is not null,
        7 => _memory is not null && _memoryStat is not null,
        8 => _memoryLimit is not null,
        9 => _memoryEvents is not null,
        10 or 11 => _io is not null,
        12 or 13 => _isV2 ? _io is not null : _ioOperations is not null,
        _ => _pids is not null,
    };

    private bool ReadCpu(ref CgroupReading reading)
    {
        bool isWellFormed = true;
        if (TryRead(_cpuStatV2, out ReadOnlySpan<byte> text))
        {
            isWellFormed &= CgroupParser.TryParseCpuStatV2(text, ref reading);
        }

        if (TryRead(_cpuStatV1, out text))
        {
            isWellFormed &= CgroupParser.TryParseCpuStatV1(text, ref reading);
        }

        if (TryRead(_cpuacctStat, out text))
        {
            isWellFormed &= CgroupParser.TryParseCpuacctStat(text, ref reading);
        }

        return isWellFormed & ReadNumber(_cpuacctUsage, ref reading.CpuUsageNs);
    }

    private bool ReadMemory(ref CgroupReading reading)
    {
        bool isWellFormed = ReadNumber(_memory, ref reading.MemoryBytes);
        if (TryRead(_memoryLimit, out ReadOnlySpan<byte> text))
        {
            isWellFormed &= CgroupParser.TryParseLimit(text, out reading.MemoryLimitBytes);
        }

        // v1's "total_" counts the groups below too, as v2 always does.
        if (TryRead(_memoryStat, out text))
        {
            isWellFormed &= ReadKey(text, _isV2 ? "inactive_file"u8 : "total_inactive_file"u8, ref reading.MemoryInactiveFileBytes);
        }

        if (TryRead(_memoryEvents, out text))
        {
            ReadKey(text, "oom_kill"u8, ref reading.OomKills); // absent before 4.13
        }

        return isWellFormed;
    }

    private bool ReadIo(ref CgroupReading reading)
    {
        bool isWellFormed = true;
        if (TryRead(_io, out ReadOnlySpan<byte> text))
        {
            if (_isV2)
            {
                return CgroupParser.TryParseIoStat(text, ref reading);
            }

            isWellFormed = CgroupParser.TryParseBlkio(text, out ulong readBytes, out ulong writtenBytes);
            (reading.ReadBytes, reading.WrittenBytes) = (readBytes, writtenBytes);
        }

        if (TryRead(_ioOperations, out text))
        {
            isWellFormed &= CgroupParser.TryParseBlkio(text, out ulong reads, out ulong writes);
            (reading.Reads, reading.Writes) = (reads, writes);
        }

        return isWellFormed;
    }

    private bool ReadPids(ref CgroupReading reading) => ReadNumber(_pids, ref reading.Pids);

    private bool ReadNumber(KernelFile? file, ref ulong? value)
    {
        if (!TryRead(file, out ReadOnlySpan<byte> text))
        {
            return true;
        }

        bool isNumber = NumberParser.TryParse(text, out ulong number);
        value = isNumber ? number : null;
        return isNumber;
    }

    private static bool ReadKey(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key, ref ulong? value)
    {
        bool isFound = CgroupParser.TryFindKey(text, key, out ulong number);
        value = isFound ? number : null;
        return isFound;
    }

    private static ulong? WorkingSet(in CgroupReading reading) =>
        reading is { MemoryBytes: { } usage, MemoryInactiveFileBytes: { } inactive } ? usage - Math.Min(usage, inactive) : null;

    private bool TryRead(KernelFile? file, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (file is null)
        {
            return false;
        }

        if (file.TryRead(out text))
        {
            return true;
        }

        IsGone |= file.LastErrno == GoneErrno;
        return false;
    }

    private KernelFile? Open(string? tree, string path, string file)
    {
        KernelFile? opened = tree is null ? null : KernelFile.TryOpen(System.IO.Path.Combine(tree, path, file), _buffer);
        if (opened is not null)
        {
            _files.Add(opened);
        }

        return opened;
    }

    private void Set(SeriesTable series, int metric, ulong? value)
    {
        if (_columns[metric] != None && value is { } known)
        {
            series.Set(_columns[metric], known);
        }
    }

    // Whole microseconds, as the metrics declare.
    private void SetSeconds(SeriesTable series, int metric, ulong? nanoseconds)
    {
        if (_columns[metric] != None && nanoseconds is { } known)
        {
            series.Set(_columns[metric], known / 1000 / 1e6);
        }
    }
}
