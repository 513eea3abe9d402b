using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>Run queues: how long tasks ran and how long they waited to run. Summed over processors like their time.</summary>
internal sealed class SchedstatSampler(HostRoots roots, CpuDetail detail) : ISampler, IDisposable
{
    private const int ColumnsEach = 3;

    private readonly KernelFile? _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "schedstat"), initialBytes: 16 * 1024);
    private readonly List<int> _ids = [];
    private readonly List<SchedstatReading> _readings = [];
    private bool _isPerCore;

    public string Name => "schedstat";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_file is null)
        {
            return SampleStatus.NoData;
        }

        ReadOnlySpan<byte> text = _file.Read();
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        bool isWellFormed = SchedstatParser.TryParse(text, _readings);
        if (!HasSameColumns())
        {
            RebuildColumns();
        }

        SetColumns();
        return _file.IsTruncated ? SampleStatus.Truncated : isWellFormed ? SampleStatus.Ok : SampleStatus.Malformed;
    }

    public void Dispose() => _file?.Dispose();

    private bool HasSameColumns()
    {
        if (_ids.Count != _readings.Count)
        {
            return false;
        }

        for (int i = 0; i < _ids.Count; i++)
        {
            if (_ids[i] != _readings[i].Processor)
            {
                return false;
            }
        }

        return true;
    }

    private void RebuildColumns()
    {
        Series.Rebuild();
        _ids.Clear();
        foreach (SchedstatReading reading in _readings)
        {
            _ids.Add(reading.Processor);
        }

        _isPerCore = detail == CpuDetail.PerCore || (detail == CpuDetail.Automatic && _ids.Count <= CpuDetails.MostCoresInDetail);
        if (_isPerCore)
        {
            _ids.ForEach(id => AddColumns(id.ToString()));
        }
        else
        {
            AddColumns("all");
        }
    }

    private void AddColumns(string cpu)
    {
        Label label = new("cpu", cpu);
        Series.Add(CpuMetrics.SchedstatRunningSecondsTotal, label);
        Series.Add(CpuMetrics.SchedstatWaitingSecondsTotal, label);
        Series.Add(CpuMetrics.SchedstatTimeslicesTotal, label);
    }

    private void SetColumns()
    {
        ulong running = 0;
        ulong waiting = 0;
        ulong slices = 0;
        for (int i = 0; i < _readings.Count; i++)
        {
            SchedstatReading reading = _readings[i];
            if (_isPerCore)
            {
                Set(i * ColumnsEach, reading.RunningNs, reading.WaitingNs, reading.Timeslices);
                continue;
            }

            running += reading.RunningNs;
            waiting += reading.WaitingNs;
            slices += reading.Timeslices;
        }

        if (!_isPerCore && _readings.Count > 0)
        {
            Set(0, running, waiting, slices);
        }
    }

    private void Set(int column, ulong runningNs, ulong waitingNs, ulong timeslices)
    {
        Series.Set(column, runningNs / 1000 / 1e6); // whole microseconds, as the metric declares
        Series.Set(column + 1, waitingNs / 1000 / 1e6);
        Series.Set(column + 2, timeslices);
    }
}

/// <summary>Run queue of one processor.</summary>
internal readonly record struct SchedstatReading(int Processor, ulong RunningNs, ulong WaitingNs, ulong Timeslices);

/// <summary>
/// Parses the processor lines of /proc/schedstat: "cpu0 0 0 a b c d running waiting timeslices" (Documentation/scheduler/sched-stats.rst,
/// versions 15 to 17 alike). Domain lines are skipped.
/// </summary>
internal static class SchedstatParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, List<SchedstatReading> readings)
    {
        readings.Clear();
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (cursor.TrySkip("cpu"u8))
            {
                isWellFormed &= TryParseProcessor(ref cursor, readings);
            }

            cursor.SkipLine();
        }

        return isWellFormed && readings.Count > 0;
    }

    private static bool TryParseProcessor(ref Utf8Cursor cursor, List<SchedstatReading> readings)
    {
        if (readings.Count >= StatReading.MaxProcessors || !cursor.TryReadUInt64(out ulong id) || id >= StatReading.MaxProcessors)
        {
            return false;
        }

        for (int i = 0; i < 6; i++)
        {
            if (!cursor.TryReadField(out _))
            {
                return false;
            }
        }

        if (!cursor.TryReadUInt64(out ulong running) || !cursor.TryReadUInt64(out ulong waiting) ||
            !cursor.TryReadUInt64(out ulong slices) || !cursor.Rest.StartsWith("\n"u8))
        {
            return false;
        }

        readings.Add(new SchedstatReading((int)id, running, waiting, slices));
        return true;
    }
}
