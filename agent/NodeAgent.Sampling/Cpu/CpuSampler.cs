using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>Processor time by mode, context switches, interrupts, forks: everything of /proc/stat, with one read.</summary>
internal sealed class CpuSampler(HostRoots roots, CpuDetail detail) : ISampler, IDisposable
{
    // A 256-thread host prints about 40 KiB; start large enough for a small host and grow once.
    private readonly KernelFile? _stat = KernelFile.TryOpen(Path.Combine(roots.Proc, "stat"), initialBytes: 8192, wholeInOneRead: true);

    private readonly StatReading _reading = new();
    private readonly CounterFloor _floor = new(maxBackStep: 3); // as node_exporter: iowait and idle may step back a little
    private readonly List<int> _cores = [];
    private int _softirqs;
    private bool _isPerCore;
    private int _firstSoftirq;
    private int _hostColumns;

    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    private static readonly string[] SoftirqNames =
        ["hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"];

    public string Name => "cpu";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_stat is null)
        {
            return SampleStatus.NoData;
        }

        ReadOnlySpan<byte> text = _stat.Read();
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        // What is many can only be known after a first look; the detail then stays, unless processors come or go.
        bool isWellFormed = StatParser.TryParse(text, detail != CpuDetail.Summed && (_isPerCore || Series.Count == 0), _reading);
        if (!HasSameColumns())
        {
            RebuildColumns(text, ref isWellFormed);
        }

        SetTimes();
        SetHost();
        return _stat.IsTruncated ? SampleStatus.Truncated : isWellFormed ? SampleStatus.Ok : SampleStatus.Malformed;
    }

    public void Dispose() => _stat?.Dispose();

    private bool HasSameColumns()
    {
        if (Series.Count == 0 || Math.Max(0, _reading.SoftirqsRead - 1) > _softirqs || WantsPerCore() != _isPerCore)
        {
            return false;
        }

        return !_isPerCore || _reading.Ids.AsSpan(0, _reading.Processors)
            .SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_cores));
    }

    private bool WantsPerCore() =>
        detail == CpuDetail.PerCore || (detail == CpuDetail.Automatic && _reading.Processors <= CpuDetails.MostCoresInDetail);

    private void RebuildColumns(ReadOnlySpan<byte> text, ref bool isWellFormed)
    {
        _isPerCore = WantsPerCore();
        isWellFormed &= StatParser.TryParse(text, _isPerCore, _reading);
        Series.Rebuild();
        _floor.Clear();
        _cores.Clear();
        if (_isPerCore)
        {
            _cores.AddRange(_reading.Ids.AsSpan(0, _reading.Processors));
            foreach (int core in _cores)
            {
                AddTimes(core.ToString());
            }
        }
        else
        {
            AddTimes("all");
        }

        AddHost();
    }

    private void AddTimes(string cpu)
    {
        Label label = new("cpu", cpu);
        foreach (string mode in Modes)
        {
            Series.Add(CpuMetrics.SecondsTotal, label, new Label("mode", mode));
        }

        Series.Add(CpuMetrics.GuestSecondsTotal, label, new Label("mode", "user"));
        Series.Add(CpuMetrics.GuestSecondsTotal, label, new Label("mode", "nice"));
    }

    private void AddHost()
    {
        _hostColumns = Series.Add(CpuMetrics.Processors);
        Series.Add(CpuMetrics.ContextSwitchesTotal);
        Series.Add(CpuMetrics.InterruptsTotal);
        Series.Add(CpuMetrics.ForksTotal);
        Series.Add(CpuMetrics.ProcessesRunning);
        Series.Add(CpuMetrics.ProcessesBlocked);
        Series.Add(CpuMetrics.BootTimeSeconds);
        _softirqs = Math.Min(SoftirqNames.Length, Math.Max(0, _reading.SoftirqsRead - 1));
        _firstSoftirq = Series.Count;
        for (int i = 0; i < _softirqs; i++)
        {
            Series.Add(CpuMetrics.SoftirqsTotal, new Label("vector", SoftirqNames[i]));
        }
    }

    private void SetTimes()
    {
        if (!_isPerCore && !_reading.HasAllTimes)
        {
            return;
        }

        ReadOnlySpan<ulong> times = _isPerCore
            ? _reading.Times.AsSpan(0, _reading.Processors * StatReading.ModeCount)
            : _reading.AllTimes;
        for (int i = 0; i < times.Length; i++)
        {
            Series.Set(i, _floor.Hold(i, times[i] / CpuDetails.UserHz));
        }
    }

    private void SetHost()
    {
        int column = _hostColumns;
        if (_reading.Processors > 0)
        {
            Series.Set(column, _reading.Processors);
        }

        Set(++column, _reading.ContextSwitches);
        Set(++column, _reading.Interrupts);
        Set(++column, _reading.Forks);
        Set(++column, _reading.Running);
        Set(++column, _reading.Blocked);
        Set(++column, _reading.BootTimeSeconds);
        for (int i = 0; i < _softirqs && i + 1 < _reading.SoftirqsRead; i++)
        {
            Series.Set(_firstSoftirq + i, _reading.Softirqs[i + 1]);
        }
    }

    private void Set(int column, ulong? value)
    {
        if (value is { } known)
        {
            Series.Set(column, known);
        }
    }
}
