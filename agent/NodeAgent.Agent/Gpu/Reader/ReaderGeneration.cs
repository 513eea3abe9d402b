using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// One hold on the GPUs: from nvmlInit to nvmlShutdown. Handles are worth something only within it, so whatever invalidates one (a reset, a
/// driver reload, another MIG layout, a GPU that came or went) ends the whole generation, and all handles are taken anew by bus id.
/// </summary>
internal sealed class ReaderGeneration
{
    // A lost GPU is asked again after 1 s, 2 s, 4 s ... and from then on every 16 s: to ask costs a driver call on a sick device.
    private const int MostProbeBeats = 16;

    private readonly NvmlLibrary _library;
    private readonly SharedReadings _shared;
    private readonly TimeProvider _time;
    private readonly List<GpuDevice> _gpus = [];
    private nint _events;
    private uint _count;
    private int _probeBeats = 1;
    private int _beatsUntilProbe = 1;

    private ReaderGeneration(NvmlLibrary library, SharedReadings shared, TimeProvider time)
    {
        _library = library;
        _shared = shared;
        _time = time;
    }

    /// <summary>Not null: this hold is over; why the next one is taken.</summary>
    internal GenerationReason? Ended { get; private set; }

    /// <summary>Events can be waited for.</summary>
    internal bool CanWait => _events != 0 && Ended is null;

    /// <summary>Takes hold. Null: the driver does not answer.</summary>
    internal static ReaderGeneration? TryOpen(NvmlLibrary library, SharedReadings shared, KnownGpus known, TimeProvider time, out NvmlReturn result)
    {
        library.CurrentGpu = -1;
        result = library.Init();
        if (result != NvmlReturn.Success)
        {
            return null;
        }

        ReaderGeneration generation = new(library, shared, time);
        result = generation.Enumerate(known);
        if (result == NvmlReturn.Success)
        {
            generation.RegisterEvents();
            return generation;
        }

        generation.Close();
        return null;
    }

    /// <summary>Reads a tier of every GPU that answers.</summary>
    internal unsafe void Read(GpuTier tier)
    {
        if (tier == GpuTier.Fast)
        {
            ProbeLost();
        }

        for (int i = 0; i < _gpus.Count && Ended is null; i++)
        {
            GpuDevice gpu = _gpus[i];
            if (gpu.State != GpuState.Answering)
            {
                continue;
            }

            _library.CurrentGpu = gpu.Slot;
            gpu.Read(tier, _time);
            gpu.PublishTo(ref _shared.Gpu(gpu.Slot));
            if (gpu.MigChanged)
            {
                Ended ??= GenerationReason.MigChanged;
            }
            else if (gpu.IsDoubtful && !DriverAnswers())
            {
                Ended ??= GenerationReason.DriverReloaded;
            }
        }

        _library.CurrentGpu = -1;
        if (tier == GpuTier.Detail && Ended is null)
        {
            CheckCount();
        }
        else if (tier == GpuTier.Slow)
        {
            PublishLatencies();
        }
    }

    /// <summary>Waits for an event at most this long, and puts what came into the ring.</summary>
    internal unsafe void WaitForEvents(int milliseconds)
    {
        _library.CurrentGpu = -1;
        NvmlReturn result = _library.WaitForEvent(_events, out NvmlEventData data, (uint)milliseconds);
        if (result == NvmlReturn.Success)
        {
            Take(data);
        }
        else if (result != NvmlReturn.Timeout)
        {
            // A lost GPU makes the wait fail at once, again and again; without it the beat is kept by the clock alone.
            CloseEvents();
        }
    }

    /// <summary>Lets go: events, samples, handles, files. The library may hang in it like in any other call.</summary>
    internal void Close()
    {
        CloseEvents();
        foreach (GpuDevice gpu in _gpus)
        {
            gpu.Dispose();
        }

        _gpus.Clear();
        _library.CurrentGpu = -1;
        _library.Shutdown();
    }

    private unsafe NvmlReturn Enumerate(KnownGpus known)
    {
        NvmlReturn result = _library.GetCount(out _count);
        if (result != NvmlReturn.Success)
        {
            return result;
        }

        ref ReadingsHead head = ref _shared.Head;
        _library.GetText(NvmlCall.SystemGetDriverVersion, 0, new Span<byte>(Unsafe.AsPointer(ref head.Driver[0]), GpuBlock.NameBytes));
        string driver = SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref head.Driver[0]), GpuBlock.NameBytes));
        head.NvmlCount = (int)_count;
        int leftOut = head.ExcludedCount + head.ReleasedCount;
        if (leftOut == 0)
        {
            AddByIndex(driver, known);
        }
        else
        {
            AddCandidates(ref head, driver, known);
        }

        AddMissing(ref head, known);
        PublishIdentities(ref head);
        return NvmlReturn.Success;
    }

    private void AddByIndex(string driver, KnownGpus known)
    {
        for (uint index = 0; index < _count && _gpus.Count < ReadingsHead.MostGpus; index++)
        {
            _library.CurrentGpu = (int)index;
            if (_library.GetHandle(index, out nint handle) == NvmlReturn.Success)
            {
                AddDevice(handle, driver, known);
            }
        }
    }

    private unsafe void AddCandidates(ref ReadingsHead head, string driver, KnownGpus known)
    {
        for (int i = 0; i < head.CandidateCount && _gpus.Count < ReadingsHead.MostGpus; i++)
        {
            string busId = Text(ref head.Candidates[i]);
            _library.CurrentGpu = _gpus.Count;
            if (_library.GetHandle(busId, out nint handle) == NvmlReturn.Success)
            {
                AddDevice(handle, driver, known);
            }
        }
    }

    private void AddDevice(nint handle, string driver, KnownGpus known)
    {
        GpuDevice gpu = new(_library, handle, _gpus.Count);
        _library.CurrentGpu = gpu.Slot;
        if (gpu.Identify(driver))
        {
            known.Add(gpu.BusId, gpu.Uuid);
        }

        _gpus.Add(gpu);
    }

    // Those that were there before and are not now, and those that were left out, each with what is wrong with it.
    private unsafe void AddMissing(ref ReadingsHead head, KnownGpus known)
    {
        for (int i = 0; i < head.ExcludedCount + head.ReleasedCount && _gpus.Count < ReadingsHead.MostGpus; i++)
        {
            string busId = Text(ref head.LeftOut[i]);
            _gpus.Add(GpuDevice.Missing(_library, _gpus.Count, busId, known.UuidOf(busId), i < head.ExcludedCount ? GpuState.Excluded : GpuState.Released));
        }

        foreach (string busId in known.BusIds)
        {
            if (_gpus.Count < ReadingsHead.MostGpus && !_gpus.Exists(gpu => string.Equals(gpu.BusId, busId, StringComparison.OrdinalIgnoreCase)))
            {
                _library.CurrentGpu = -1;
                NvmlReturn result = _library.GetHandle(busId, out _);
                _gpus.Add(GpuDevice.Missing(_library, _gpus.Count, busId, known.UuidOf(busId), result.IsLost() ? GpuState.Lost : GpuState.Gone));
            }
        }
    }

    private void PublishIdentities(ref ReadingsHead head)
    {
        foreach (GpuDevice gpu in _gpus)
        {
            gpu.PublishTo(ref _shared.Gpu(gpu.Slot), withIdentity: true);
        }

        Volatile.Write(ref head.GpuCount, _gpus.Count);
    }

    private void RegisterEvents()
    {
        const NvmlEventTypes Wanted = NvmlEventTypes.Xid | NvmlEventTypes.DoubleBitEcc | NvmlEventTypes.MigConfiguration | NvmlEventTypes.RecoveryAction;
        if (!_library.Has(NvmlCall.EventSetWait) || _library.Create(NvmlCall.EventSetCreate, out _events) != NvmlReturn.Success)
        {
            _events = 0; // Windows: XIDs come from the System log there
            return;
        }

        bool any = false;
        foreach (GpuDevice gpu in _gpus)
        {
            _library.CurrentGpu = gpu.Slot;
            if (gpu.State == GpuState.Answering && _library.GetLarge(NvmlCall.DeviceGetSupportedEventTypes, gpu.Handle, out ulong supported) == NvmlReturn.Success)
            {
                any |= _library.RegisterEvents(gpu.Handle, (NvmlEventTypes)supported & Wanted, _events) == NvmlReturn.Success;
            }
        }

        _library.CurrentGpu = -1;
        if (!any)
        {
            CloseEvents();
        }
    }

    private void CloseEvents()
    {
        if (_events != 0)
        {
            _library.Free(NvmlCall.EventSetFree, _events);
            _events = 0;
        }
    }

    private unsafe void Take(in NvmlEventData data)
    {
        GpuDevice? gpu = null;
        foreach (GpuDevice candidate in _gpus)
        {
            gpu = candidate.Handle == data.Device ? candidate : gpu;
        }

        if (gpu is null)
        {
            return; // of a GPU that this generation does not hold
        }

        ref ReadingsHead head = ref _shared.Head;
        _library.CurrentGpu = gpu.Slot;
        ref GpuEvent entry = ref head.Events[(int)(head.EventCount % ReadingsHead.MostEvents)];
        entry = new GpuEvent
        {
            AtUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
            Type = data.Type,
            Data = data.Data,
            GpuInstance = data.GpuInstance,
            ComputeInstance = data.ComputeInstance,
            RecoveryAction = gpu.ReadRecoveryAction(),
        };
        SharedReadings.Write(new Span<byte>(Unsafe.AsPointer(ref entry.BusId[0]), GpuBlock.BusIdBytes), gpu.BusId);
        SharedReadings.Write(new Span<byte>(Unsafe.AsPointer(ref entry.Uuid[0]), GpuBlock.UuidBytes), gpu.Uuid);
        _library.CurrentGpu = -1;
        Volatile.Write(ref head.EventCount, head.EventCount + 1);
        if (data.Type == NvmlEventTypes.MigConfiguration)
        {
            Ended ??= GenerationReason.MigChanged;
        }
    }

    private void ProbeLost()
    {
        bool anyLost = false;
        foreach (GpuDevice gpu in _gpus)
        {
            anyLost |= gpu.State == GpuState.Lost;
        }

        if (!anyLost || --_beatsUntilProbe > 0)
        {
            return;
        }

        foreach (GpuDevice gpu in _gpus)
        {
            _library.CurrentGpu = gpu.Slot;
            if (gpu.State == GpuState.Lost && gpu.AnswersAgain())
            {
                Ended ??= GenerationReason.GpuRecovered;
            }
        }

        _probeBeats = Math.Min(_probeBeats * 2, MostProbeBeats);
        _beatsUntilProbe = _probeBeats;
    }

    private void CheckCount()
    {
        NvmlReturn result = _library.GetCount(out uint count);
        if (result != NvmlReturn.Success)
        {
            Ended ??= GenerationReason.DriverReloaded;
        }
        else if (count != _count)
        {
            Ended ??= GenerationReason.GpuSetChanged;
        }
    }

    private bool DriverAnswers()
    {
        _library.CurrentGpu = -1;
        return _library.GetCount(out _) == NvmlReturn.Success;
    }

    private unsafe void PublishLatencies()
    {
        ref ReadingsHead head = ref _shared.Head;
        for (int call = 1; call < NvmlExports.CallCount; call++)
        {
            head.SlowestCallUs[call] = (long)_library.TakeSlowest((NvmlCall)call).TotalMicroseconds;
        }
    }

    private static unsafe string Text(ref BusId busId) => SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref busId.Text[0]), GpuBlock.BusIdBytes));
}
