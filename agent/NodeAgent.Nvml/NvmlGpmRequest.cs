using System.Runtime.InteropServices;

namespace NodeAgent.Nvml;

/// <summary>
/// The argument of nvmlGpmMetricsGet, in memory that does not move. Allocated in the largest size any header has, because the struct grows
/// from header to header under the same version.
/// </summary>
public sealed unsafe class NvmlGpmRequest : IDisposable
{
    /// <summary>NVML_GPM_METRIC_MAX of nvml.h 13.3, the largest seen.</summary>
    internal const int MostMetrics = 333;

    private readonly uint[] _metrics;
    private NvmlGpmMetricsHead* _memory;

    /// <param name="metrics">nvmlGpmMetricId_t, at most 333.</param>
    public NvmlGpmRequest(params uint[] metrics)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(metrics.Length, MostMetrics);
        _metrics = metrics;
        _memory = (NvmlGpmMetricsHead*)NativeMemory.AllocZeroed((nuint)(sizeof(NvmlGpmMetricsHead) + (MostMetrics * sizeof(NvmlGpmMetric))));
    }

    /// <summary>The results, in the order in which the metrics were named.</summary>
    public ReadOnlySpan<NvmlGpmMetric> Results => new(_memory + 1, _metrics.Length);

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }

    internal void* Prepare(nint first, nint second)
    {
        *_memory = new NvmlGpmMetricsHead { Version = NvmlGpmMetricsHead.CurrentVersion, Count = (uint)_metrics.Length, First = first, Second = second };
        NvmlGpmMetric* metrics = (NvmlGpmMetric*)(_memory + 1);
        for (int i = 0; i < _metrics.Length; i++)
        {
            metrics[i] = new NvmlGpmMetric { MetricId = _metrics[i], Return = NvmlReturn.NotSupported };
        }

        return _memory;
    }
}
