using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NodeAgent.Nvml;

/// <summary>
/// libnvidia-ml.so.1 or nvml.dll, called through pointers that were looked up by name, so that one binary serves every driver: a call that
/// a library does not have answers <see cref="NvmlReturn.FunctionNotFound"/>. One thread at a time. No call suppresses the GC transition:
/// any of them can block for seconds, and would stop the whole runtime.
/// </summary>
/// <remarks>
/// Every call may hang for ever or end the process (a stale handle is an access violation that no runtime can catch), so it belongs into a
/// process that can be given up. <see cref="NvmlCallRecord"/> tells the other side which call it was.
/// </remarks>
public sealed unsafe partial class NvmlLibrary : IDisposable
{
    private readonly nint _library;
    private readonly nint[] _exports = new nint[NvmlExports.CallCount];
    private readonly byte[] _shape = new byte[NvmlExports.CallCount]; // which of a call's exports it is; 0 is the newest
    private readonly NvmlCallRecord* _record;
    private readonly long[] _slowest = new long[NvmlExports.CallCount];
    private readonly long[] _count = new long[NvmlExports.CallCount];
    private NvmlCall _current;
    private long _startedAt;

    private NvmlLibrary(nint library, NvmlCallRecord* record)
    {
        _library = library;
        _record = record;
        for (int i = 1; i < NvmlExports.CallCount; i++)
        {
            IReadOnlyList<string> names = NvmlExports.Of((NvmlCall)i);
            for (int shape = 0; shape < names.Count && _exports[i] == 0; shape++)
            {
                if (NativeLibrary.TryGetExport(library, names[shape], out _exports[i]))
                {
                    _shape[i] = (byte)shape;
                }
            }
        }
    }

    /// <summary>Loads the library. Null: it cannot be loaded or is none; <paramref name="problem"/> says why.</summary>
    /// <param name="path">Absolute, from <see cref="NvmlLocator"/>.</param>
    /// <param name="record">Where the call under way is written; must outlive the library.</param>
    /// <param name="problem">One sentence.</param>
    public static NvmlLibrary? TryLoad(string path, NvmlCallRecord* record, out string problem)
    {
        problem = "";
        if (!NativeLibrary.TryLoad(path, out nint handle))
        {
            problem = $"{path} cannot be loaded";
            return null;
        }

        NvmlLibrary library = new(handle, record);
        if (library.Has(NvmlCall.Init) && library.Has(NvmlCall.Shutdown) && library.Has(NvmlCall.DeviceGetCount) && library.Has(NvmlCall.DeviceGetHandleByIndex))
        {
            return library;
        }

        problem = $"{path} lacks the calls every NVML has";
        library.Dispose();
        return null;
    }

    /// <summary>Whether this library has a call, in any of its versions.</summary>
    public bool Has(NvmlCall call) => _exports[(int)call] != 0;

    /// <summary>The export that a call goes to, or "".</summary>
    public string ExportOf(NvmlCall call) => Has(call) ? NvmlExports.Of(call)[_shape[(int)call]] : "";

    /// <summary>The GPU the next calls are about, for <see cref="NvmlCallRecord.Gpu"/>; -1: none.</summary>
    public int CurrentGpu { get; set; } = -1;

    /// <summary>Calls made, whatever they came to.</summary>
    public long Calls => _record->Returned;

    /// <summary>The longest call since this was asked the last time; zero: it was not called.</summary>
    public TimeSpan TakeSlowest(NvmlCall call)
    {
        long ticks = _slowest[(int)call];
        _slowest[(int)call] = 0;
        return Stopwatch.GetElapsedTime(0, ticks);
    }

    /// <summary>How often a call was made.</summary>
    public long CountOf(NvmlCall call) => _count[(int)call];

    public void Dispose() => NativeLibrary.Free(_library);

    private nint Begin(NvmlCall call)
    {
        nint export = _exports[(int)call];
        if (export == 0)
        {
            return 0;
        }

        _current = call;
        _startedAt = Stopwatch.GetTimestamp();
        _record->Gpu = CurrentGpu;
        _record->StartedAt = _startedAt;
        Volatile.Write(ref _record->Call, (int)call);
        return export;
    }

    private NvmlReturn End(NvmlReturn result)
    {
        Volatile.Write(ref _record->Call, 0);
        _record->Returned++;
        _count[(int)_current]++;
        long took = Stopwatch.GetTimestamp() - _startedAt;
        if (took > _slowest[(int)_current])
        {
            _slowest[(int)_current] = took;
        }

        return result;
    }
}
