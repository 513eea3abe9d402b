using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Readings;

/// <summary>What the agent wants of its reader.</summary>
internal enum ReaderOrder
{
    Read = 0,

    /// <summary>Let go of everything and end, as soon as the call under way has returned.</summary>
    End = 1,
}

/// <summary>What the reader is doing.</summary>
internal enum ReaderStatus
{
    Starting = 0,
    Reading = 1,

    /// <summary>No driver answers; tried again now and then. See <see cref="ReadingsHead.InitReturn"/>.</summary>
    NoDriver = 2,

    /// <summary>The library does not load, or is another version's than the driver; only another process can load another one.</summary>
    NeedsRestart = 3,
    Ended = 4,
}

/// <summary>Why the GPUs were taken hold of anew.</summary>
internal enum GenerationReason
{
    Started = 0,
    DriverReloaded = 1,
    GpuSetChanged = 2,
    GpuRecovered = 3,
    MigChanged = 4,
    OrderChanged = 5,
}

/// <summary>
/// The head of the memory that agent and reader share; the blocks of the GPUs follow. Each field has one writer. Both sides are one
/// binary, and each reader has a memory of its own, so there is nothing to be compatible with.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ReadingsHead
{
    internal const int MostGpus = 32;
    internal const int PathBytes = 512;
    internal const int MostEvents = 256;

    // ---- written by the agent ----

    /// <summary>Grows with every change of what follows.</summary>
    public long OrderNumber;

    public int Order;
    public int ExcludedCount;
    public int ReleasedCount;
    public int CandidateCount;

    /// <summary>Bus ids of GPUs to leave alone: first the excluded, then the released.</summary>
    public BusIds LeftOut;

    /// <summary>
    /// Bus ids of the other GPUs. Where some are left out, only these are touched: to ask NVML for the n-th GPU is to touch it.
    /// </summary>
    public BusIds Candidates;

    public long PhaseMs;
    public int AgentPid;
    public fixed byte Library[PathBytes];

    // ---- written by the reader ----

    public int Pid;
    public int Status;

    /// <summary>The order that the status belongs to.</summary>
    public long ObeyedOrder;

    public NvmlReturn InitReturn;
    public int GpuCount;

    /// <summary>GPUs that NVML counts, those left out included.</summary>
    public int NvmlCount;

    public long Generation;
    public int GenerationReason;
    public long Beats;
    public long AliveAt;
    public long AllocatedBytes;
    public long CpuMicroseconds;
    public fixed long CallsByTier[4];
    public fixed byte Driver[GpuBlock.NameBytes];
    public fixed byte Problem[PathBytes];
    public NvmlCallRecord Call;
    public fixed long SlowestCallUs[128];

    /// <summary>Events written so far; number n is at n % MostEvents.</summary>
    public long EventCount;

    public GpuEvents Events;
}

/// <summary>What the driver said.</summary>
internal unsafe struct GpuEvent
{
    public long AtUnixMs;
    public NvmlEventTypes Type;
    public ulong Data;
    public uint GpuInstance;
    public uint ComputeInstance;

    /// <summary>The driver's recovery action just after; -1: unknown.</summary>
    public int RecoveryAction;

    public fixed byte BusId[GpuBlock.BusIdBytes];
    public fixed byte Uuid[GpuBlock.UuidBytes];
}

/// <summary>One bus id, zero-terminated.</summary>
internal unsafe struct BusId
{
    public fixed byte Text[GpuBlock.BusIdBytes];
}

[InlineArray(ReadingsHead.MostGpus)]
internal struct BusIds
{
    private BusId _first;
}

[InlineArray(ReadingsHead.MostEvents)]
internal struct GpuEvents
{
    private GpuEvent _first;
}
