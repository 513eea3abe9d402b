using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NodeAgent.Nvml.Tests;

/// <summary>
/// Each struct is as large, and its fields are where, gcc puts them on x86-64 from nvml.h 13.3. A wrong size is not a wrong value but
/// memory of ours overwritten by the driver.
/// </summary>
public sealed unsafe class NvmlLayoutTests
{
    [Fact]
    public void Structs_Sizes_AreThoseOfTheHeader()
    {
        Assert.Equal(24, sizeof(NvmlMemory));
        Assert.Equal(40, sizeof(NvmlMemoryV2));
        Assert.Equal(8, sizeof(NvmlUtilization));
        Assert.Equal(16, sizeof(NvmlProcessV1));
        Assert.Equal(24, sizeof(NvmlProcess));
        Assert.Equal(32, sizeof(NvmlProcessUtilization));
        Assert.Equal(40, sizeof(NvmlFieldValue));
        Assert.Equal(32, sizeof(NvmlEventData));
        Assert.Equal(68, sizeof(NvmlPci));
        Assert.Equal(36, sizeof(NvmlFabricV2));
        Assert.Equal(40, sizeof(NvmlFabricV3));
        Assert.Equal(12, sizeof(NvmlTemperature));
        Assert.Equal(8, sizeof(NvmlMarginTemperature));
        Assert.Equal(104, sizeof(NvmlSramEcc));
        Assert.Equal(20, sizeof(NvmlRowRemapperHistogram));
        Assert.Equal(12, sizeof(NvmlRepairStatus));
        Assert.Equal(12, sizeof(NvmlPowerValue));
        Assert.Equal(8, sizeof(NvmlGpmSupport));
        Assert.Equal(40, sizeof(NvmlGpmMetric));
        Assert.Equal(13344, sizeof(NvmlGpmMetricsHead) + (NvmlGpmRequest.MostMetrics * sizeof(NvmlGpmMetric)));
    }

    [Fact]
    public void Structs_Versions_CarryTheirSize()
    {
        Assert.Equal(NvmlMemoryV2.CurrentVersion, Version(sizeof(NvmlMemoryV2), 2));
        Assert.Equal(NvmlFabricV2.CurrentVersion, Version(sizeof(NvmlFabricV2), 2));
        Assert.Equal(NvmlFabricV3.CurrentVersion, Version(sizeof(NvmlFabricV3), 3));
        Assert.Equal(NvmlTemperature.CurrentVersion, Version(sizeof(NvmlTemperature), 1));
        Assert.Equal(NvmlMarginTemperature.CurrentVersion, Version(sizeof(NvmlMarginTemperature), 1));
        Assert.Equal(NvmlSramEcc.CurrentVersion, Version(sizeof(NvmlSramEcc), 1));
        Assert.Equal(NvmlRepairStatus.CurrentVersion, Version(sizeof(NvmlRepairStatus), 1));
        Assert.Equal(NvmlPowerValue.CurrentVersion, Version(sizeof(NvmlPowerValue), 2));
    }

    [Fact]
    public void Structs_Offsets_AreThoseOfTheHeader()
    {
        Assert.Equal(8, Offset<NvmlMemoryV2>(nameof(NvmlMemoryV2.Total)));
        Assert.Equal(16, Offset<NvmlMemoryV2>(nameof(NvmlMemoryV2.Reserved)));
        Assert.Equal(24, Offset<NvmlMemoryV2>(nameof(NvmlMemoryV2.Free)));
        Assert.Equal(32, Offset<NvmlMemoryV2>(nameof(NvmlMemoryV2.Used)));
        Assert.Equal(16, Offset<NvmlProcess>(nameof(NvmlProcess.GpuInstance)));
        Assert.Equal(8, Offset<NvmlFieldValue>(nameof(NvmlFieldValue.TimestampUs)));
        Assert.Equal(16, Offset<NvmlFieldValue>(nameof(NvmlFieldValue.LatencyUs)));
        Assert.Equal(24, Offset<NvmlFieldValue>(nameof(NvmlFieldValue.ValueType)));
        Assert.Equal(28, Offset<NvmlFieldValue>(nameof(NvmlFieldValue.Return)));
        Assert.Equal(32, Offset<NvmlFieldValue>(nameof(NvmlFieldValue.Bits)));
        Assert.Equal(8, Offset<NvmlEventData>(nameof(NvmlEventData.Type)));
        Assert.Equal(16, Offset<NvmlEventData>(nameof(NvmlEventData.Data)));
        Assert.Equal(24, Offset<NvmlEventData>(nameof(NvmlEventData.GpuInstance)));
        Assert.Equal(36, Offset<NvmlPci>(nameof(NvmlPci.BusId)));
        Assert.Equal(20, Offset<NvmlFabricV3>(nameof(NvmlFabricV3.Status)));
        Assert.Equal(28, Offset<NvmlFabricV3>(nameof(NvmlFabricV3.State)));
        Assert.Equal(32, Offset<NvmlFabricV3>(nameof(NvmlFabricV3.HealthMask)));
        Assert.Equal(36, Offset<NvmlFabricV3>(nameof(NvmlFabricV3.HealthSummary)));
        Assert.Equal(8, Offset<NvmlGpmMetric>(nameof(NvmlGpmMetric.Value)));
        Assert.Equal(16, Offset<NvmlGpmMetric>(nameof(NvmlGpmMetric.ShortName)));
        Assert.Equal(24, sizeof(NvmlGpmMetricsHead));
    }

    [Theory]
    [InlineData(NvmlValueType.UnsignedInt, 0xffffffff_00000005UL, 5)]
    [InlineData(NvmlValueType.UnsignedLongLong, 0xffffffffUL, 4294967295d)]
    [InlineData(NvmlValueType.SignedLongLong, 0xffffffff_fffffffeUL, -2)]
    [InlineData(NvmlValueType.SignedInt, 0x00000000_fffffffbUL, -5)]
    [InlineData(NvmlValueType.UnsignedShort, 0xffff0007UL, 7)]
    [InlineData(NvmlValueType.Double, 0x3ff8000000000000UL, 1.5)]
    public void FieldValue_Value_IsReadByItsType(NvmlValueType type, ulong bits, double expected) =>
        Assert.Equal(expected, new NvmlFieldValue { ValueType = type, Bits = bits }.Value);

    [Fact]
    public void FieldValue_OfALaterHeadersType_IsNoNumber() => Assert.Equal(double.NaN, new NvmlFieldValue { ValueType = (NvmlValueType)99, Bits = 1 }.Value);

    [Fact]
    public void UnsignedLong_IsFourBytesOnWindowsAndEightElsewhere()
    {
        Assert.Equal(7, NvmlFieldValue.UnsignedLong(0xdead0000_00000007, isWindows: true));
        Assert.Equal(4294967303, NvmlFieldValue.UnsignedLong(0x1_00000007, isWindows: false));
    }

    private static uint Version(int size, uint number) => (uint)size | (number << 24);

    private static int Offset<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
