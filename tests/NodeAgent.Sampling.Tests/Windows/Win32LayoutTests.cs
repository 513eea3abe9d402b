using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Tests.Windows;

/// <summary>Structures against the sizes of the 64-bit headers, and MIB_IF_ROW2 against its documented declaration laid out by the runtime.</summary>
public sealed unsafe class Win32LayoutTests
{
    [Fact]
    public void Structures_On64Bit_HaveTheSizesOfTheHeaders()
    {
        Assert.Equal(64, Unsafe.SizeOf<MemoryStatus>());
        Assert.Equal(104, Unsafe.SizeOf<PerformanceInformation>());
        Assert.Equal(1352, Unsafe.SizeOf<InterfaceRow>());
        Assert.Equal(1352, Unsafe.SizeOf<DocumentedRow>());
    }

    [Theory]
    [InlineData(nameof(MemoryStatus.TotalPhysical), 8)]
    [InlineData(nameof(MemoryStatus.AvailablePhysical), 16)]
    [InlineData(nameof(MemoryStatus.CommitLimit), 24)]
    public void MemoryStatus_Member_IsWhereTheHeaderHasIt(string member, int offset) =>
        Assert.Equal(offset, Marshal.OffsetOf<MemoryStatus>(member));

    [Theory]
    [InlineData(nameof(PerformanceInformation.CommitTotal), 8)]
    [InlineData(nameof(PerformanceInformation.CommitLimit), 16)]
    [InlineData(nameof(PerformanceInformation.PageBytes), 80)]
    [InlineData(nameof(PerformanceInformation.Handles), 88)]
    [InlineData(nameof(PerformanceInformation.Processes), 92)]
    [InlineData(nameof(PerformanceInformation.Threads), 96)]
    public void PerformanceInformation_Member_IsWhereTheHeaderHasIt(string member, int offset) =>
        Assert.Equal(offset, Marshal.OffsetOf<PerformanceInformation>(member));

    [Fact]
    public void InterfaceRow_Members_AreWhereTheDeclarationPutsThem()
    {
        DocumentedRow documented = default;
        InterfaceRow read = default;
        byte* d = (byte*)&documented;
        byte* r = (byte*)&read;

        Assert.Equal((byte*)&documented.InterfaceIndex - d, (byte*)&read.Index - r);
        Assert.Equal((byte*)documented.Alias - d, (byte*)read.Alias - r);
        Assert.Equal((byte*)&documented.Type - d, (byte*)&read.Type - r);
        Assert.Equal(&documented.InterfaceAndOperStatusFlags - d, &read.Flags - r);
        Assert.Equal((byte*)&documented.InOctets - d, (byte*)&read.InOctets - r);
        Assert.Equal((byte*)&documented.InUcastPkts - d, (byte*)&read.InUnicastPackets - r);
        Assert.Equal((byte*)&documented.InNUcastPkts - d, (byte*)&read.InOtherPackets - r);
        Assert.Equal((byte*)&documented.InDiscards - d, (byte*)&read.InDiscards - r);
        Assert.Equal((byte*)&documented.InErrors - d, (byte*)&read.InErrors - r);
        Assert.Equal((byte*)&documented.OutOctets - d, (byte*)&read.OutOctets - r);
        Assert.Equal((byte*)&documented.OutUcastPkts - d, (byte*)&read.OutUnicastPackets - r);
        Assert.Equal((byte*)&documented.OutNUcastPkts - d, (byte*)&read.OutOtherPackets - r);
        Assert.Equal((byte*)&documented.OutDiscards - d, (byte*)&read.OutDiscards - r);
        Assert.Equal((byte*)&documented.OutErrors - d, (byte*)&read.OutErrors - r);
    }

#pragma warning disable CS0649 // never assigned: only where the members lie matters
    // Names and order of MIB_IF_ROW2 in netioapi.h; enumerations are 4 bytes, GUIDs are aligned as their first 4 bytes.
    [StructLayout(LayoutKind.Sequential)]
    private struct DocumentedRow
    {
        public ulong InterfaceLuid;
        public uint InterfaceIndex;
        public Guid InterfaceGuid;
        public fixed char Alias[256 + 1];
        public fixed char Description[256 + 1];
        public uint PhysicalAddressLength;
        public fixed byte PhysicalAddress[32];
        public fixed byte PermanentPhysicalAddress[32];
        public uint Mtu;
        public uint Type;
        public int TunnelType;
        public int MediaType;
        public int PhysicalMediumType;
        public int AccessType;
        public int DirectionType;
        public byte InterfaceAndOperStatusFlags;
        public int OperStatus;
        public int AdminStatus;
        public int MediaConnectState;
        public Guid NetworkGuid;
        public int ConnectionType;
        public ulong TransmitLinkSpeed;
        public ulong ReceiveLinkSpeed;
        public ulong InOctets;
        public ulong InUcastPkts;
        public ulong InNUcastPkts;
        public ulong InDiscards;
        public ulong InErrors;
        public ulong InUnknownProtos;
        public ulong InUcastOctets;
        public ulong InMulticastOctets;
        public ulong InBroadcastOctets;
        public ulong OutOctets;
        public ulong OutUcastPkts;
        public ulong OutNUcastPkts;
        public ulong OutDiscards;
        public ulong OutErrors;
        public ulong OutUcastOctets;
        public ulong OutMulticastOctets;
        public ulong OutBroadcastOctets;
        public ulong OutQLen;
    }
#pragma warning restore CS0649
}
