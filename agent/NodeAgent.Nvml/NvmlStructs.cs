using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NodeAgent.Nvml;

// Layouts of nvml.h 13.3 on 64-bit systems; NvmlLayoutTests holds each to the size that gcc gives it. A struct with a version carries its
// own size in it: version = sizeof | number << 24.

/// <summary>nvmlMemory_t: bytes; Used includes what the driver reserves.</summary>
public struct NvmlMemory
{
    public ulong Total;
    public ulong Free;
    public ulong Used;
}

/// <summary>nvmlMemory_v2_t: bytes; Used is without Reserved.</summary>
public struct NvmlMemoryV2
{
    public const uint CurrentVersion = 0x02000028;

    public uint Version;
    public ulong Total;
    public ulong Reserved;
    public ulong Free;
    public ulong Used;
}

/// <summary>nvmlUtilization_t: percent of the driver's last window of 1/6 to 1 s.</summary>
public struct NvmlUtilization
{
    public uint Gpu;
    public uint Memory;
}

/// <summary>nvmlProcessInfo_v1_t.</summary>
public struct NvmlProcessV1
{
    public uint Pid;
    public ulong UsedBytes;
}

/// <summary>nvmlProcessInfo_v2_t and later. UsedBytes is all ones where the driver does not know (WDDM).</summary>
public struct NvmlProcess
{
    public uint Pid;
    public ulong UsedBytes;
    public uint GpuInstance;
    public uint ComputeInstance;
}

/// <summary>nvmlProcessUtilizationSample_t: percent since the time that was asked for.</summary>
public struct NvmlProcessUtilization
{
    public uint Pid;
    public ulong TimestampUs;
    public uint Sm;
    public uint Memory;
    public uint Encoder;
    public uint Decoder;
}

/// <summary>nvmlFieldValue_t.</summary>
public struct NvmlFieldValue
{
    public uint FieldId;

    /// <summary>A link, or uint.MaxValue for all of them; 0 for the GPU and 1 for its module with power fields.</summary>
    public uint ScopeId;

    /// <summary>Microseconds since 1970.</summary>
    public long TimestampUs;

    /// <summary>How long the driver took, averaged over the fields that one driver call served.</summary>
    public long LatencyUs;

    public NvmlValueType ValueType;
    public NvmlReturn Return;
    public ulong Bits;

    /// <summary>
    /// The value whatever its type; NaN for a type of a later header. "unsigned long" is 8 bytes on Linux and 4 on Windows.
    /// </summary>
    public readonly double Value => ValueType switch
    {
        NvmlValueType.Double => BitConverter.UInt64BitsToDouble(Bits),
        NvmlValueType.UnsignedInt => (uint)Bits,
        NvmlValueType.UnsignedLong => UnsignedLong(Bits, OperatingSystem.IsWindows()),
        NvmlValueType.UnsignedLongLong => Bits,
        NvmlValueType.SignedLongLong => (long)Bits,
        NvmlValueType.SignedInt => (int)Bits,
        NvmlValueType.UnsignedShort => (ushort)Bits,
        _ => double.NaN,
    };

    internal static double UnsignedLong(ulong bits, bool isWindows) => isWindows ? (uint)bits : bits;
}

/// <summary>nvmlValueType_t.</summary>
public enum NvmlValueType : uint
{
    Double = 0,
    UnsignedInt = 1,
    UnsignedLong = 2,
    UnsignedLongLong = 3,
    SignedLongLong = 4,
    SignedInt = 5,
    UnsignedShort = 6,
}

/// <summary>nvmlEventData_t.</summary>
public struct NvmlEventData
{
    public nint Device;
    public NvmlEventTypes Type;

    /// <summary>The XID, with <see cref="NvmlEventTypes.Xid"/>; 999: unknown.</summary>
    public ulong Data;

    public uint GpuInstance;
    public uint ComputeInstance;
}

/// <summary>Bits of nvmlEventType*.</summary>
[Flags]
public enum NvmlEventTypes : ulong
{
    None = 0,
    SingleBitEcc = 0x1,
    DoubleBitEcc = 0x2,
    PState = 0x4,
    Xid = 0x8,
    Clock = 0x10,
    PowerSource = 0x80,
    MigConfiguration = 0x100,
    RecoveryAction = 0x8000,
}

/// <summary>nvmlPciInfo_t (v3).</summary>
public unsafe struct NvmlPci
{
    public fixed byte LegacyBusId[16];
    public uint Domain;
    public uint Bus;
    public uint Device;
    public uint PciDeviceId;
    public uint SubsystemId;
    public fixed byte BusId[32];
}

/// <summary>nvmlGpuFabricInfo_v3_t.</summary>
public struct NvmlFabricV3
{
    public const uint CurrentVersion = 0x03000028;

    public uint Version;
    public Bytes16 ClusterUuid;
    public NvmlReturn Status;
    public uint Clique;

    /// <summary>0 not supported, 1 not started, 2 in progress, 3 completed.</summary>
    public byte State;

    public uint HealthMask;
    public byte HealthSummary;
}

/// <summary>nvmlGpuFabricInfo_v2_t.</summary>
public struct NvmlFabricV2
{
    public const uint CurrentVersion = 0x02000024;

    public uint Version;
    public Bytes16 ClusterUuid;
    public NvmlReturn Status;
    public uint Clique;
    public byte State;
    public uint HealthMask;
}

/// <summary>Sixteen bytes that are one value.</summary>
[InlineArray(16)]
public struct Bytes16
{
    private byte _first;
}

/// <summary>nvmlTemperature_v1_t.</summary>
public struct NvmlTemperature
{
    public const uint CurrentVersion = 0x0100000c;

    public uint Version;
    public uint Sensor;
    public int Celsius;
}

/// <summary>nvmlMarginTemperature_v1_t: degrees left until the GPU slows down.</summary>
public struct NvmlMarginTemperature
{
    public const uint CurrentVersion = 0x01000008;

    public uint Version;
    public int Celsius;
}

/// <summary>nvmlEccSramErrorStatus_v1_t.</summary>
public struct NvmlSramEcc
{
    public const uint CurrentVersion = 0x01000068;

    public uint Version;
    public ulong AggregateUncorrectedParity;
    public ulong AggregateUncorrectedSecDed;
    public ulong AggregateCorrected;
    public ulong VolatileUncorrectedParity;
    public ulong VolatileUncorrectedSecDed;
    public ulong VolatileCorrected;
    public ulong BucketL2;
    public ulong BucketSm;
    public ulong BucketPcie;
    public ulong BucketMcu;
    public ulong BucketOther;

    /// <summary>Not zero: enough errors that the board should be replaced.</summary>
    public uint ThresholdExceeded;
}

/// <summary>nvmlRowRemapperHistogramValues_t: banks by how many spare rows they have left.</summary>
public struct NvmlRowRemapperHistogram
{
    public uint Max;
    public uint High;
    public uint Partial;
    public uint Low;
    public uint None;
}

/// <summary>nvmlRepairStatus_v1_t.</summary>
public struct NvmlRepairStatus
{
    public const uint CurrentVersion = 0x0100000c;

    public uint Version;
    public uint ChannelRepairPending;
    public uint TpcRepairPending;
}

/// <summary>nvmlPowerValue_v2_t.</summary>
public struct NvmlPowerValue
{
    public const uint CurrentVersion = 0x0200000c;

    public uint Version;
    public uint Scope;
    public uint Milliwatts;
}

/// <summary>nvmlGpmSupport_t; its version is a plain 1.</summary>
public struct NvmlGpmSupport
{
    public uint Version;
    public uint IsSupported;
}

/// <summary>nvmlGpmMetric_t.</summary>
public struct NvmlGpmMetric
{
    public uint MetricId;
    public NvmlReturn Return;
    public double Value;
    public nint ShortName;
    public nint LongName;
    public nint Unit;
}

/// <summary>
/// The head of nvmlGpmMetricsGet_t; the metrics follow at once. The array's length grows with each header while the version stays 1, and
/// the library touches only Count of them: <see cref="NvmlGpmRequest"/> holds as many as are asked for.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct NvmlGpmMetricsHead
{
    public const uint CurrentVersion = 1;

    public uint Version;
    public uint Count;
    public nint First;
    public nint Second;
}
