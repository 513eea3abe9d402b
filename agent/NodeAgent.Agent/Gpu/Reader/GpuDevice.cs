using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// One GPU within a generation: asks for what is due, remembers what it does not have, judges what it says, and keeps its block. A tick
/// allocates nothing.
/// </summary>
internal sealed unsafe partial class GpuDevice : IDisposable
{
    private readonly NvmlLibrary _library;
    private readonly GpuBlock* _block;
    private readonly CapabilityCache _has = new(NvmlExports.CallCount);
    private readonly FieldBatch[] _fields;
    private readonly ulong[][] _columnsOfTier;
    private readonly MigDevice[] _instances = new MigDevice[GpuBlock.MostInstances];
    private readonly NvmlProcess[] _processes = new NvmlProcess[GpuBlock.MostProcesses];
    private readonly NvmlProcessUtilization[] _utilization = new NvmlProcessUtilization[GpuBlock.MostProcesses];
    private readonly GpmReader? _gpm;
    private uint _migMode;
    private ulong _utilizationSinceUs;

    internal GpuDevice(NvmlLibrary library, nint handle, int slot)
        : this(library, slot)
    {
        Handle = handle;
        _gpm = handle == 0 ? null : GpmReader.TryCreate(library, handle);
    }

    private GpuDevice(NvmlLibrary library, int slot)
    {
        _library = library;
        Slot = slot;
        _block = (GpuBlock*)NativeMemory.AllocZeroed((nuint)sizeof(GpuBlock));
        _fields = [new FieldBatch(GpuFields.Fast, 0), new FieldBatch(GpuFields.Detail, GpuFields.Fast.Length), new FieldBatch(GpuFields.Slow, GpuFields.Fast.Length + GpuFields.TimedDetail)];
        _columnsOfTier = [Mask(GpuTier.Fast), Mask(GpuTier.Detail), Mask(GpuTier.Slow)];
    }

    internal nint Handle { get; }

    internal int Slot { get; }

    internal string BusId { get; private set; } = "";

    internal string Uuid { get; private set; } = "";

    internal GpuState State
    {
        get => (GpuState)_block->State;
        private set => _block->State = (int)value;
    }

    /// <summary>An answer came that may mean that the driver is another one now.</summary>
    internal bool IsDoubtful { get; private set; }

    /// <summary>MIG was switched or its layout changed since the handles were taken.</summary>
    internal bool MigChanged { get; private set; }

    /// <summary>A GPU that is known and cannot or shall not be read.</summary>
    internal static GpuDevice Missing(NvmlLibrary library, int slot, string busId, string uuid, GpuState state)
    {
        GpuDevice gpu = new(library, 0, slot) { BusId = busId, Uuid = uuid, State = state };
        SharedReadings.Write(new Span<byte>(gpu._block->BusId, GpuBlock.BusIdBytes), busId);
        SharedReadings.Write(new Span<byte>(gpu._block->Uuid, GpuBlock.UuidBytes), uuid);
        return gpu;
    }

    /// <summary>Asks who it is and how it is divided. False: it does not say.</summary>
    internal bool Identify(string driver)
    {
        NvmlPci pci = default;
        NvmlReturn result = _library.GetText(NvmlCall.DeviceGetUuid, Handle, new Span<byte>(_block->Uuid, GpuBlock.UuidBytes));
        if (result == NvmlReturn.Success)
        {
            result = _library.GetStruct(NvmlCall.DeviceGetPciInfo, Handle, ref pci);
        }

        if (result != NvmlReturn.Success)
        {
            Judge(result);
            State = GpuState.Lost;
            return false;
        }

        new ReadOnlySpan<byte>(pci.BusId, GpuBlock.BusIdBytes).CopyTo(new Span<byte>(_block->BusId, GpuBlock.BusIdBytes));
        Uuid = SharedReadings.Read(new ReadOnlySpan<byte>(_block->Uuid, GpuBlock.UuidBytes));
        BusId = SharedReadings.Read(new ReadOnlySpan<byte>(_block->BusId, GpuBlock.BusIdBytes));
        _block->Index = (uint)Slot;
        _library.GetText(NvmlCall.DeviceGetName, Handle, new Span<byte>(_block->Name, GpuBlock.NameBytes));
        _library.GetText(NvmlCall.DeviceGetSerial, Handle, new Span<byte>(_block->Serial, GpuBlock.TextBytes));
        _library.GetText(NvmlCall.DeviceGetVbiosVersion, Handle, new Span<byte>(_block->Vbios, GpuBlock.TextBytes));
        _library.Get(NvmlCall.DeviceGetMinorNumber, Handle, out _block->Minor);
        OpenInstances();
        CapabilityKey key = new(Uuid, driver, _migMode != 0);
        _has.Use(key);
        foreach (FieldBatch batch in _fields)
        {
            batch.Use(key);
        }

        return true;
    }

    /// <summary>Whether a GPU that was lost can be taken hold of again.</summary>
    internal bool AnswersAgain()
    {
        Span<byte> uuid = stackalloc byte[GpuBlock.UuidBytes];
        return _library.GetHandle(BusId, out nint handle) == NvmlReturn.Success
            && _library.GetText(NvmlCall.DeviceGetUuid, handle, uuid) == NvmlReturn.Success
            && _library.Get(NvmlCall.DeviceGetPerformanceState, handle, out _) is not (NvmlReturn.GpuIsLost or NvmlReturn.ResetRequired);
    }

    /// <summary>-1: the driver does not say.</summary>
    internal int ReadRecoveryAction()
    {
        NvmlFieldValue field = new() { FieldId = NvmlField.RecoveryAction };
        return _library.GetFieldValues(Handle, new Span<NvmlFieldValue>(ref field)) == NvmlReturn.Success && field.Return == NvmlReturn.Success ? (int)field.Value : -1;
    }

    /// <summary>Reads one tier into the block.</summary>
    internal void Read(GpuTier tier, TimeProvider time)
    {
        ulong[] columns = _columnsOfTier[(int)tier];
        for (int word = 0; word < columns.Length; word++)
        {
            _block->Present[word] &= ~columns[word];
            _block->Rejected[word] &= ~columns[word];
        }

        IsDoubtful = false;
        _block->ReadAtUnixMs[(int)tier] = time.GetUtcNow().ToUnixTimeMilliseconds();
        _block->ReadAt[(int)tier] = time.GetTimestamp();
        switch (tier)
        {
            case GpuTier.Fast:
                ReadFast();
                break;
            case GpuTier.Detail:
                ReadDetail();
                break;
            default:
                ReadSlow();
                break;
        }

        _block->Readings[(int)tier]++;
    }

    /// <summary>Hands the block to the agent.</summary>
    internal void PublishTo(ref GpuBlock shared, bool withIdentity = false)
    {
        long sequence = shared.Sequence;
        long identity = shared.Identity + (withIdentity ? 1 : 0);
        Volatile.Write(ref shared.Sequence, sequence + 1);
        Thread.MemoryBarrier();
        _block->Sequence = sequence + 1;
        _block->Identity = identity;
        shared = *_block;
        Volatile.Write(ref shared.Sequence, sequence + 2);
    }

    public void Dispose()
    {
        _gpm?.Dispose();
        CloseInstances();
        NativeMemory.Free(_block);
    }

    private static ulong[] Mask(GpuTier tier)
    {
        ulong[] mask = new ulong[GpuBlock.MostColumns / 64];
        for (int i = 0; i < GpuColumns.All.Count; i++)
        {
            mask[i >> 6] |= GpuColumns.All[i].Tier == tier ? 1UL << (i & 63) : 0;
        }

        return mask;
    }

    // Whether a call is worth making: the GPU still answers, and it may have what is asked for.
    private bool Wants(NvmlCall call) => State == GpuState.Answering && !IsDoubtful && _has.MayHave((int)call);

    // Learns from an answer; true: there is a value.
    private bool Got(NvmlCall call, NvmlReturn result)
    {
        Judge(result);
        return _has.Learn((int)call, result);
    }

    private void Judge(NvmlReturn result)
    {
        _block->LastReturn = result;
        if (result.IsLost())
        {
            State = GpuState.Lost;
            new Span<ulong>(_block->Present, GpuBlock.MostColumns / 64).Clear();
        }
        else if (result.EndsGeneration())
        {
            IsDoubtful = true;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Set(int column, double value)
    {
        GpuColumn bounds = GpuColumns.All[column];
        if (value >= bounds.Min && value <= bounds.Max)
        {
            _block->Set(column, value);
        }
        else if (!(value == 0 && column == GpuColumns.MemoryTemperature))
        {
            _block->Reject(column, value);
        }
    }
}
