using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// The hardware's counters (GPM, Hopper and newer): two samples, of which the older is overwritten at each reading, so that a reading is
/// the average since the one before.
/// </summary>
internal sealed class GpmReader : IDisposable
{
    private readonly NvmlLibrary _library;
    private readonly NvmlGpmRequest _request = new(GpuColumns.ActivityMetrics);
    private nint _older;
    private nint _newer;
    private bool _hasNewer;

    private GpmReader(NvmlLibrary library) => _library = library;

    /// <summary>In the order of <see cref="GpuColumns.ActivityMetrics"/>, percent.</summary>
    internal ReadOnlySpan<NvmlGpmMetric> Results => _request.Results;

    /// <summary>Null: this GPU or driver has no GPM.</summary>
    internal static GpmReader? TryCreate(NvmlLibrary library, nint device)
    {
        NvmlGpmSupport support = new() { Version = 1 };
        if (library.GetStruct(NvmlCall.GpmQueryDeviceSupport, device, ref support) != NvmlReturn.Success || support.IsSupported == 0)
        {
            return null;
        }

        GpmReader reader = new(library);
        if (library.Create(NvmlCall.GpmSampleAlloc, out reader._older) == NvmlReturn.Success && library.Create(NvmlCall.GpmSampleAlloc, out reader._newer) == NvmlReturn.Success)
        {
            return reader;
        }

        reader.Dispose();
        return null;
    }

    /// <summary>Takes a sample. True: <see cref="Results"/> say what happened since the sample before.</summary>
    internal bool Take(nint device, uint? gpuInstance)
    {
        (_older, _newer) = (_newer, _older);
        bool hadOne = _hasNewer;
        _hasNewer = _library.TakeGpmSample(device, gpuInstance, _newer) == NvmlReturn.Success;
        return hadOne && _hasNewer && _library.GetGpmMetrics(_request, _older, _newer) == NvmlReturn.Success;
    }

    public void Dispose()
    {
        Free(_older);
        Free(_newer);
        _request.Dispose();
    }

    private void Free(nint sample)
    {
        if (sample != 0)
        {
            _library.Free(NvmlCall.GpmSampleFree, sample);
        }
    }
}
