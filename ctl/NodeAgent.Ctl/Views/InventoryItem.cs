using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>What a host is made of. Null or empty: the agent could not tell.</summary>
internal sealed record InventoryItem
{
    public required string HostName { get; init; }
    public required string Os { get; init; }
    public required string Kernel { get; init; }
    public required string Architecture { get; init; }
    public required string Virtualization { get; init; }
    public required string MachineId { get; init; }
    public required string AgentVersion { get; init; }
    public required string? Boot { get; init; }
    public required long? BootUnixMs { get; init; }
    public required CpuItem? Cpu { get; init; }
    public required ulong? MemoryBytes { get; init; }
    public required BoardItem? Board { get; init; }
    public required IReadOnlyList<NumaItem> NumaNodes { get; init; }
    public required IReadOnlyList<InterfaceItem> NetworkInterfaces { get; init; }
    public required IReadOnlyList<DiskItem> Disks { get; init; }
    public required IReadOnlyList<AcceleratorItem> Accelerators { get; init; }

    public static InventoryItem From(Inventory from) => new()
    {
        HostName = from.HostName,
        Os = from.Os,
        Kernel = from.Kernel,
        Architecture = from.Architecture,
        Virtualization = from.Virtualization,
        MachineId = from.MachineId,
        AgentVersion = from.AgentVersion,
        Boot = MomentText.Rfc3339(from.BootUnixMs),
        BootUnixMs = NodeItem.OrNull(from.BootUnixMs),
        Cpu = from.Cpu is null ? null : new(from.Cpu.Vendor, from.Cpu.Model, from.Cpu.Sockets, from.Cpu.Cores, from.Cpu.Threads, OrNull(from.Cpu.MaxHertz)),
        MemoryBytes = OrNull(from.MemoryBytes),
        Board = from.Board is null ? null : new(from.Board.Vendor, from.Board.Product, from.Board.BiosVersion, from.Board.Serial),
        NumaNodes = [.. from.NumaNodes.Select(numa => new NumaItem(numa.Id, numa.Cpus, numa.MemoryBytes))],
        NetworkInterfaces = [.. from.NetworkInterfaces.Select(InterfaceItem.From)],
        Disks = [.. from.Disks.Select(disk => new DiskItem(disk.Name, disk.Model, disk.SizeBytes, disk.Rotational, disk.Serial, disk.PciAddress))],
        Accelerators = [.. from.Accelerators.Select(AcceleratorItem.From)],
    };

    internal static ulong? OrNull(ulong value) => value == 0 ? null : value;

    internal static int? NumaOrNull(int node) => node < 0 ? null : node;
}

internal sealed record CpuItem(string Vendor, string Model, uint Sockets, uint Cores, uint Threads, ulong? MaxHertz);

internal sealed record BoardItem(string Vendor, string Product, string BiosVersion, string Serial);

internal sealed record NumaItem(uint Id, string Cpus, ulong MemoryBytes);

internal sealed record DiskItem(string Name, string Model, ulong SizeBytes, bool Rotational, string Serial, string PciAddress);

internal sealed record InterfaceItem(
    string Name, string Mac, string Driver, ulong? SpeedBitsPerSecond, uint Mtu, string PciAddress, int? NumaNode, string RdmaDevice)
{
    public static InterfaceItem From(Inventory.Types.NetworkInterface from) => new(
        from.Name, from.Mac, from.Driver, InventoryItem.OrNull(from.SpeedBitsPerSecond), from.Mtu, from.PciAddress,
        InventoryItem.NumaOrNull(from.NumaNode), from.RdmaDevice);
}

/// <summary>Vendor and device are PCI ids in four hexadecimal digits, as lspci prints them.</summary>
internal sealed record AcceleratorItem(string PciAddress, string VendorId, string DeviceId, string Driver, int? NumaNode)
{
    public static AcceleratorItem From(Inventory.Types.PciDevice from) => new(
        from.Address, from.VendorId.ToString("x4"), from.DeviceId.ToString("x4"), from.Driver, InventoryItem.NumaOrNull(from.NumaNode));
}
