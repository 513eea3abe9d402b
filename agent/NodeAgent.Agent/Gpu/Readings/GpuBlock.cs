using System.Runtime.InteropServices;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Readings;

/// <summary>Whether a GPU answers. Numbers are those of gpu_state.</summary>
internal enum GpuState
{
    Answering = 0,

    /// <summary>Fell off the bus or needs a reset; only looked at now and then.</summary>
    Lost = 1,

    /// <summary>Left out after a call to it hung or crashed the reader.</summary>
    Excluded = 2,

    /// <summary>Let go of on order.</summary>
    Released = 3,

    /// <summary>NVML knows it no more.</summary>
    Gone = 4,
}

/// <summary>
/// One GPU in the shared memory. Guarded by a sequence lock: the reader makes <see cref="Sequence"/> odd, writes, makes it even again;
/// whoever reads copies the block and takes it only where the sequence was even and the same before and after.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GpuBlock
{
    internal const int MostColumns = 320;
    internal const int MostProcesses = 64;
    internal const int MostInstances = 7;
    internal const int Tiers = 3;
    internal const int UuidBytes = 96;
    internal const int BusIdBytes = 32;
    internal const int NameBytes = 96;
    internal const int TextBytes = 32;

    public long Sequence;

    public int State;
    public NvmlReturn LastReturn;
    public uint Minor;
    public uint Index;

    /// <summary>Grows when anything in the identity or the layout changed.</summary>
    public long Identity;

    public fixed byte Uuid[UuidBytes];
    public fixed byte BusId[BusIdBytes];
    public fixed byte Name[NameBytes];
    public fixed byte Serial[TextBytes];
    public fixed byte Vbios[TextBytes];

    // By tier: when its values were read, and how often it was.
    public fixed long ReadAtUnixMs[Tiers];
    public fixed long ReadAt[Tiers];
    public fixed long Readings[Tiers];

    public fixed double Values[MostColumns];
    public fixed ulong Present[MostColumns / 64];

    /// <summary>Values of the last reading that no GPU can have; they are in <see cref="Values"/> and not in <see cref="Present"/>.</summary>
    public fixed ulong Rejected[MostColumns / 64];

    public long RejectedValues;

    public int ProcessCount;
    public int InstanceCount;
    public GpuProcesses Processes;
    public GpuInstances Instances;

    internal readonly bool IsPresent(int column) => (Present[column >> 6] & (1UL << (column & 63))) != 0;

    internal void Set(int column, double value)
    {
        Values[column] = value;
        Present[column >> 6] |= 1UL << (column & 63);
    }

    internal void Reject(int column, double value)
    {
        Values[column] = value;
        Rejected[column >> 6] |= 1UL << (column & 63);
        RejectedValues++;
    }

    internal readonly bool IsRejected(int column) => (Rejected[column >> 6] & (1UL << (column & 63))) != 0;
}

/// <summary>A process on a GPU.</summary>
internal struct GpuProcess
{
    public uint Pid;

    /// <summary>Percent of the SMs' time; uint.MaxValue: unknown.</summary>
    public uint SmPercent;

    /// <summary>ulong.MaxValue: the driver does not know.</summary>
    public ulong UsedBytes;
}

/// <summary>A MIG device.</summary>
internal unsafe struct GpuInstance
{
    internal const int Parts = 4; // graphics, sm, tensor, dram

    public uint GpuInstanceId;
    public uint ComputeInstanceId;
    public ulong UsedBytes;
    public ulong TotalBytes;

    /// <summary>NaN: no value.</summary>
    public fixed double Activity[Parts];

    public fixed byte Uuid[GpuBlock.UuidBytes];
}

[System.Runtime.CompilerServices.InlineArray(GpuBlock.MostProcesses)]
internal struct GpuProcesses
{
    private GpuProcess _first;
}

[System.Runtime.CompilerServices.InlineArray(GpuBlock.MostInstances)]
internal struct GpuInstances
{
    private GpuInstance _first;
}
