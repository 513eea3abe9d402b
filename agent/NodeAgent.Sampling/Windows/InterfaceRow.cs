using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Windows;

/// <summary>MIB_IF_ROW2 (netioapi.h), the members that are read, where a 64-bit compiler puts them.</summary>
[StructLayout(LayoutKind.Explicit, Size = 1352)]
internal unsafe struct InterfaceRow
{
    /// <summary>Where MIB_IF_TABLE2 has its first row: after NumEntries, aligned for the row's 8-byte members.</summary>
    public const int FirstRowOffset = 8;

    /// <summary>IF_MAX_STRING_SIZE + 1 (ifdef.h).</summary>
    public const int AliasLength = 257;

    /// <summary>IF_TYPE_SOFTWARE_LOOPBACK (ipifcons.h).</summary>
    public const uint TypeLoopback = 24;

    /// <summary>InterfaceAndOperStatusFlags.FilterInterface: the second bit.</summary>
    public const byte FlagFilter = 2;

    /// <summary>Stays when an adapter is disabled and enabled, which its index does not.</summary>
    [FieldOffset(0)]
    public ulong Luid;

    [FieldOffset(8)]
    public uint Index;

    [FieldOffset(28)]
    public fixed char Alias[AliasLength];

    [FieldOffset(1128)]
    public uint Type;

    [FieldOffset(1152)]
    public byte Flags;

    [FieldOffset(1208)]
    public ulong InOctets;

    [FieldOffset(1216)]
    public ulong InUnicastPackets;

    [FieldOffset(1224)]
    public ulong InOtherPackets;

    [FieldOffset(1232)]
    public ulong InDiscards;

    [FieldOffset(1240)]
    public ulong InErrors;

    [FieldOffset(1280)]
    public ulong OutOctets;

    [FieldOffset(1288)]
    public ulong OutUnicastPackets;

    [FieldOffset(1296)]
    public ulong OutOtherPackets;

    [FieldOffset(1304)]
    public ulong OutDiscards;

    [FieldOffset(1312)]
    public ulong OutErrors;
}
