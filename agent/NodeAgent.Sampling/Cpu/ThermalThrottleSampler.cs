using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>
/// How often cores and packages were throttled for heat (Intel's thermal_throttle; AMD and virtual machines have none: NoData).
/// Hyper-threads share their core's counter, which is read once. Slow tier: a read per core.
/// </summary>
internal sealed class ThermalThrottleSampler : ISampler, IDisposable
{
    private readonly KernelBuffer _buffer = new(64);
    private readonly List<(KernelFile File, int Column)> _counters = [];
    private readonly List<double> _sums = [];

    public ThermalThrottleSampler(HostRoots roots, CpuDetail detail)
    {
        string root = Path.Combine(roots.Sys, "devices/system/cpu");
        IReadOnlyList<int> ids = Subdirectories.FindNumbered(root, "cpu");
        bool isPerCore = detail == CpuDetail.PerCore || (detail == CpuDetail.Automatic && ids.Count <= CpuDetails.MostCoresInDetail);
        Dictionary<(ulong Package, string Core), int> columns = [];
        HashSet<(ulong Package, ulong Core)> seen = [];
        foreach (int id in ids)
        {
            string cpu = Path.Combine(root, $"cpu{id}");
            if (ReadOnce(cpu, "topology/physical_package_id") is { } package && ReadOnce(cpu, "topology/core_id") is { } core &&
                seen.Add((package, core)))
            {
                string coreLabel = isPerCore ? core.ToString() : "all";
                AddCounter(cpu, "core_throttle_count", CpuMetrics.CoreThrottlesTotal, columns, (package, coreLabel));
                if (!columns.ContainsKey((package, "")))
                {
                    AddCounter(cpu, "package_throttle_count", CpuMetrics.PackageThrottlesTotal, columns, (package, ""));
                }
            }
        }
    }

    public string Name => "thermal_throttle";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_counters.Count == 0)
        {
            return SampleStatus.NoData;
        }

        SampleStatus status = SampleStatus.Ok;
        for (int i = 0; i < _sums.Count; i++)
        {
            _sums[i] = 0;
        }

        foreach ((KernelFile file, int column) in _counters)
        {
            if (!file.TryRead(out ReadOnlySpan<byte> text))
            {
                continue; // its processor went offline
            }

            if (!NumberParser.TryParse(text, out ulong value))
            {
                status = SampleStatus.Malformed;
                continue;
            }

            _sums[column] += value;
            Series.Set(column, _sums[column]);
        }

        return status;
    }

    public void Dispose() => _counters.ForEach(counter => counter.File.Dispose());

    private void AddCounter(
        string cpu,
        string file,
        MetricDefinition metric,
        Dictionary<(ulong Package, string Core), int> columns,
        (ulong Package, string Core) key)
    {
        if (KernelFile.TryOpen(Path.Combine(cpu, "thermal_throttle", file), _buffer, wholeInOneRead: true) is not { } opened)
        {
            return;
        }

        if (!columns.TryGetValue(key, out int column))
        {
            column = Series.Add(metric, new Label("package", key.Package.ToString()), new Label("core", key.Core));
            columns.Add(key, column);
            _sums.Add(0);
        }

        _counters.Add((opened, column));
    }

    private ulong? ReadOnce(string cpu, string file)
    {
        using KernelFile? opened = KernelFile.TryOpen(Path.Combine(cpu, file), _buffer, wholeInOneRead: true);
        return opened is not null && opened.TryRead(out ReadOnlySpan<byte> text) && NumberParser.TryParse(text, out ulong value)
            ? value
            : null;
    }
}
