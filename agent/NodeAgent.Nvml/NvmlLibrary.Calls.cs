using System.Text;

namespace NodeAgent.Nvml;

// The calls by their shape. A result other than Success leaves the out values meaningless.
public sealed unsafe partial class NvmlLibrary
{
    private const uint NoAttach = 2; // NVML_INIT_FLAG_NO_ATTACH: a GPU without persistence mode is not woken to be looked at

    public NvmlReturn Init()
    {
        nint f = Begin(NvmlCall.Init);
        return f == 0 ? NvmlReturn.FunctionNotFound
            : End(_shape[(int)NvmlCall.Init] == 0 ? ((delegate* unmanaged[Cdecl]<uint, NvmlReturn>)f)(NoAttach) : ((delegate* unmanaged[Cdecl]<NvmlReturn>)f)());
    }

    public NvmlReturn Shutdown()
    {
        nint f = Begin(NvmlCall.Shutdown);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<NvmlReturn>)f)());
    }

    /// <summary>A text of the system or, with a device, of a GPU; zero-terminated ASCII in <paramref name="into"/>.</summary>
    public NvmlReturn GetText(NvmlCall call, nint device, Span<byte> into)
    {
        into.Clear();
        nint f = Begin(call);
        if (f == 0)
        {
            return NvmlReturn.FunctionNotFound;
        }

        fixed (byte* text = into)
        {
            return End(device == 0
                ? ((delegate* unmanaged[Cdecl]<byte*, uint, NvmlReturn>)f)(text, (uint)into.Length)
                : ((delegate* unmanaged[Cdecl]<nint, byte*, uint, NvmlReturn>)f)(device, text, (uint)into.Length));
        }
    }

    public NvmlReturn GetCount(out uint count)
    {
        uint value = 0;
        nint f = Begin(NvmlCall.DeviceGetCount);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<uint*, NvmlReturn>)f)(&value));
        count = value;
        return result;
    }

    public NvmlReturn GetHandle(uint index, out nint device)
    {
        nint value = 0;
        nint f = Begin(NvmlCall.DeviceGetHandleByIndex);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<uint, nint*, NvmlReturn>)f)(index, &value));
        device = value;
        return result;
    }

    public NvmlReturn GetHandle(string busId, out nint device)
    {
        nint value = 0;
        Span<byte> text = stackalloc byte[64];
        text.Clear();
        Encoding.ASCII.GetBytes(busId.AsSpan(0, Math.Min(busId.Length, 63)), text);
        nint f = Begin(NvmlCall.DeviceGetHandleByPciBusId);
        NvmlReturn result = NvmlReturn.FunctionNotFound;
        if (f != 0)
        {
            fixed (byte* bus = text)
            {
                result = End(((delegate* unmanaged[Cdecl]<byte*, nint*, NvmlReturn>)f)(bus, &value));
            }
        }

        device = value;
        return result;
    }

    /// <summary>One number of a device.</summary>
    public NvmlReturn Get(NvmlCall call, nint device, out uint value)
    {
        uint got = 0;
        nint f = Begin(call);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint*, NvmlReturn>)f)(device, &got));
        value = got;
        return result;
    }

    /// <summary>One number of a device for an argument: a clock, a link, a sensor.</summary>
    public NvmlReturn Get(NvmlCall call, nint device, uint argument, out uint value)
    {
        uint got = 0;
        nint f = Begin(call);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint, uint*, NvmlReturn>)f)(device, argument, &got));
        value = got;
        return result;
    }

    /// <summary>Two numbers of a device: current and pending, value and window.</summary>
    public NvmlReturn Get(NvmlCall call, nint device, out uint first, out uint second)
    {
        uint one = 0;
        uint two = 0;
        nint f = Begin(call);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint*, uint*, NvmlReturn>)f)(device, &one, &two));
        first = one;
        second = two;
        return result;
    }

    /// <summary>One large number of a device.</summary>
    public NvmlReturn GetLarge(NvmlCall call, nint device, out ulong value)
    {
        ulong got = 0;
        nint f = Begin(call);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, ulong*, NvmlReturn>)f)(device, &got));
        value = got;
        return result;
    }

    /// <summary>One struct of a device. The caller has set its version, where it has one.</summary>
    public NvmlReturn GetStruct<T>(NvmlCall call, nint device, ref T value)
        where T : unmanaged
    {
        nint f = Begin(call);
        if (f == 0)
        {
            return NvmlReturn.FunctionNotFound;
        }

        fixed (T* into = &value)
        {
            return End(((delegate* unmanaged[Cdecl]<nint, void*, NvmlReturn>)f)(device, into));
        }
    }

    /// <summary>Many fields at once; each has its own result. What one driver call serves is batched by the library.</summary>
    public NvmlReturn GetFieldValues(nint device, Span<NvmlFieldValue> fields)
    {
        nint f = Begin(NvmlCall.DeviceGetFieldValues);
        if (f == 0)
        {
            return NvmlReturn.FunctionNotFound;
        }

        fixed (NvmlFieldValue* values = fields)
        {
            return End(((delegate* unmanaged[Cdecl]<nint, int, NvmlFieldValue*, NvmlReturn>)f)(device, fields.Length, values));
        }
    }

    /// <param name="device">The GPU.</param>
    /// <param name="uncorrected">Or corrected.</param>
    /// <param name="aggregate">Over the board's life, or since the driver was loaded.</param>
    /// <param name="location">nvmlMemoryLocation_t: 2 device memory, 7 SRAM.</param>
    /// <param name="value">The count.</param>
    public NvmlReturn GetMemoryErrors(nint device, bool uncorrected, bool aggregate, uint location, out ulong value)
    {
        ulong got = 0;
        nint f = Begin(NvmlCall.DeviceGetMemoryErrorCounter);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint, uint, uint, ulong*, NvmlReturn>)f)(
            device, uncorrected ? 1u : 0u, aggregate ? 1u : 0u, location, &got));
        value = got;
        return result;
    }

    /// <summary>
    /// The processes on a GPU. InsufficientSize: <paramref name="count"/> is how many there are. The oldest library gives no instances.
    /// </summary>
    public NvmlReturn GetProcesses(NvmlCall call, nint device, Span<NvmlProcess> into, out int count)
    {
        count = 0;
        nint f = Begin(call);
        if (f == 0)
        {
            return NvmlReturn.FunctionNotFound;
        }

        uint size = (uint)into.Length;
        NvmlReturn result;
        fixed (NvmlProcess* processes = into)
        {
            result = End(((delegate* unmanaged[Cdecl]<nint, uint*, void*, NvmlReturn>)f)(device, &size, processes));
            if (result == NvmlReturn.Success && NvmlExports.Of(call)[_shape[(int)call]].EndsWith("Processes", StringComparison.Ordinal))
            {
                Widen((NvmlProcessV1*)processes, processes, (int)size);
            }
        }

        count = (int)size;
        return result;
    }

    public NvmlReturn GetProcessUtilization(nint device, Span<NvmlProcessUtilization> into, ulong sinceUs, out int count)
    {
        uint size = (uint)into.Length;
        nint f = Begin(NvmlCall.DeviceGetProcessUtilization);
        NvmlReturn result = NvmlReturn.FunctionNotFound;
        if (f != 0)
        {
            fixed (NvmlProcessUtilization* samples = into)
            {
                result = End(((delegate* unmanaged[Cdecl]<nint, void*, uint*, ulong, NvmlReturn>)f)(device, samples, &size, sinceUs));
            }
        }

        count = (int)size;
        return result;
    }

    /// <summary>A device handle for an index below another: a MIG instance.</summary>
    public NvmlReturn GetMigHandle(nint device, uint index, out nint mig)
    {
        nint value = 0;
        nint f = Begin(NvmlCall.DeviceGetMigDeviceHandleByIndex);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, uint, nint*, NvmlReturn>)f)(device, index, &value));
        mig = value;
        return result;
    }

    /// <summary>Makes a thing that the library owns: an event set, a GPM sample.</summary>
    public NvmlReturn Create(NvmlCall call, out nint made)
    {
        nint value = 0;
        nint f = Begin(call);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint*, NvmlReturn>)f)(&value));
        made = value;
        return result;
    }

    /// <summary>Gives such a thing back.</summary>
    public NvmlReturn Free(NvmlCall call, nint made)
    {
        nint f = Begin(call);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, NvmlReturn>)f)(made));
    }

    public NvmlReturn RegisterEvents(nint device, NvmlEventTypes types, nint set)
    {
        nint f = Begin(NvmlCall.DeviceRegisterEvents);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, NvmlEventTypes, nint, NvmlReturn>)f)(device, types, set));
    }

    /// <summary>Waits for the next event; Timeout: there was none.</summary>
    public NvmlReturn WaitForEvent(nint set, out NvmlEventData data, uint timeoutMs)
    {
        NvmlEventData got = default;
        nint f = Begin(NvmlCall.EventSetWait);
        NvmlReturn result = f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<nint, NvmlEventData*, uint, NvmlReturn>)f)(set, &got, timeoutMs));
        data = got;
        return result;
    }

    /// <summary>Takes a GPM sample of a GPU, or of one of its GPU instances.</summary>
    public NvmlReturn TakeGpmSample(nint device, uint? gpuInstance, nint sample)
    {
        nint f = Begin(gpuInstance is null ? NvmlCall.GpmSampleGet : NvmlCall.GpmMigSampleGet);
        return f == 0 ? NvmlReturn.FunctionNotFound
            : End(gpuInstance is { } instance
                ? ((delegate* unmanaged[Cdecl]<nint, uint, nint, NvmlReturn>)f)(device, instance, sample)
                : ((delegate* unmanaged[Cdecl]<nint, nint, NvmlReturn>)f)(device, sample));
    }

    /// <summary>What happened between two samples; computed in this process, no driver call.</summary>
    public NvmlReturn GetGpmMetrics(NvmlGpmRequest request, nint first, nint second)
    {
        nint f = Begin(NvmlCall.GpmMetricsGet);
        return f == 0 ? NvmlReturn.FunctionNotFound : End(((delegate* unmanaged[Cdecl]<void*, NvmlReturn>)f)(request.Prepare(first, second)));
    }

    // Sixteen bytes each become twenty-four, from the back so that nothing is overwritten before it was read.
    private static void Widen(NvmlProcessV1* narrow, NvmlProcess* wide, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            NvmlProcessV1 process = narrow[i];
            wide[i] = new NvmlProcess { Pid = process.Pid, UsedBytes = process.UsedBytes, GpuInstance = uint.MaxValue, ComputeInstance = uint.MaxValue };
        }
    }
}
