using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>One MIG device: memory by its own handle, activity by its GPU's.</summary>
internal sealed unsafe class MigDevice(NvmlLibrary library, nint gpu, nint handle) : IDisposable
{
    private static readonly int[] Parts = [0, 1, 4, 8]; // graphics, sm, tensor, dram among GpuColumns.ActivityMetrics

    private GpmReader? _gpm;

    internal void Identify(ref GpuInstance instance)
    {
        instance = default;
        library.GetText(NvmlCall.DeviceGetUuid, handle, new Span<byte>(Unsafe.AsPointer(ref instance.Uuid[0]), GpuBlock.UuidBytes));
        library.Get(NvmlCall.DeviceGetGpuInstanceId, handle, out instance.GpuInstanceId);
        library.Get(NvmlCall.DeviceGetComputeInstanceId, handle, out instance.ComputeInstanceId);
        _gpm = GpmReader.TryCreate(library, gpu);
        for (int part = 0; part < GpuInstance.Parts; part++)
        {
            instance.Activity[part] = double.NaN;
        }
    }

    internal void Read(ref GpuInstance instance)
    {
        NvmlMemoryV2 memory = new() { Version = NvmlMemoryV2.CurrentVersion };
        if (library.GetStruct(NvmlCall.DeviceGetMemoryInfoV2, handle, ref memory) == NvmlReturn.Success)
        {
            instance.UsedBytes = memory.Used;
            instance.TotalBytes = memory.Total;
        }

        bool isRead = _gpm is not null && _gpm.Take(gpu, instance.GpuInstanceId);
        for (int part = 0; part < GpuInstance.Parts; part++)
        {
            instance.Activity[part] = isRead && _gpm!.Results[Parts[part]] is { Return: NvmlReturn.Success } metric ? metric.Value * 0.01 : double.NaN;
        }
    }

    public void Dispose() => _gpm?.Dispose();
}
