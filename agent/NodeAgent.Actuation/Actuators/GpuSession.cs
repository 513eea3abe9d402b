using System.Runtime.InteropServices;
using System.Text;
using NodeAgent.Nvml;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// NVML for the length of one step, and one GPU found by its UUID: handles and indices change with every reset and reload, and an NVML that
/// is kept open is what keeps a GPU from being reset. Any call may hang: the runner gives up on the step, and then on the process.
/// </summary>
internal sealed unsafe class GpuSession : IDisposable
{
    private const int MaxUuidBytes = 96; // NVML_DEVICE_UUID_V2_BUFFER_SIZE
    private readonly NvmlCallRecord* _record;
    private bool _initialised;

    private GpuSession(NvmlLibrary nvml, NvmlCallRecord* record)
    {
        Nvml = nvml;
        _record = record;
    }

    internal NvmlLibrary Nvml { get; }

    internal nint Device { get; private set; }

    /// <summary>Null: the library, the driver or the GPU is not there; <paramref name="problem"/> says which.</summary>
    internal static GpuSession? TryOpen(string? library, string uuid, out string problem)
    {
        if (NvmlLocator.Find(library, out problem) is not { } path) return null;
        NvmlCallRecord* record = (NvmlCallRecord*)NativeMemory.AllocZeroed((nuint)sizeof(NvmlCallRecord));
        NvmlLibrary? nvml = NvmlLibrary.TryLoad(path, record, out problem);
        if (nvml is null)
        {
            NativeMemory.Free(record);
            return null;
        }

        GpuSession session = new(nvml, record);
        if (session.TryFind(uuid, out problem)) return session;
        session.Dispose();
        return null;
    }

    public void Dispose()
    {
        if (_initialised) Nvml.Shutdown();
        Nvml.Dispose();
        NativeMemory.Free(_record);
    }

    /// <summary>Null: nobody is on the GPU.</summary>
    internal string? Occupants()
    {
        Span<NvmlProcess> processes = stackalloc NvmlProcess[64];
        foreach (NvmlCall call in (NvmlCall[])[NvmlCall.DeviceGetComputeProcesses, NvmlCall.DeviceGetGraphicsProcesses])
        {
            NvmlReturn result = Nvml.GetProcesses(call, Device, processes, out int count);
            if (result == NvmlReturn.InsufficientSize) return $"{count} processes are on it";
            // A GPU that does not know who is on it is not known to be free.
            if (result != NvmlReturn.Success && !(result.IsAbsent() && call == NvmlCall.DeviceGetGraphicsProcesses)) return $"who is on it cannot be told: {result}";
            if (result == NvmlReturn.Success && count > 0) return $"process {processes[0].Pid} is on it{(count > 1 ? $", and {count - 1} more" : "")}";
        }

        return null;
    }

    private bool TryFind(string uuid, out string problem)
    {
        NvmlReturn result = Nvml.Init();
        problem = $"nvmlInit: {result}";
        if (result != NvmlReturn.Success) return false;
        _initialised = true;
        result = Nvml.GetCount(out uint count);
        problem = $"nvmlDeviceGetCount: {result}";
        if (result != NvmlReturn.Success) return false;

        Span<byte> text = stackalloc byte[MaxUuidBytes];
        for (uint i = 0; i < count; i++)
        {
            // A sick neighbour gives no handle; the one that is meant may stand behind it.
            if (Nvml.GetHandle(i, out nint device) != NvmlReturn.Success || Nvml.GetText(NvmlCall.DeviceGetUuid, device, text) != NvmlReturn.Success) continue;
            int end = text.IndexOf((byte)0);
            if (Encoding.ASCII.GetString(text[..(end < 0 ? text.Length : end)]) != uuid) continue;
            Device = device;
            problem = "";
            return true;
        }

        problem = $"no GPU that answers has the UUID {uuid}";
        return false;
    }
}
