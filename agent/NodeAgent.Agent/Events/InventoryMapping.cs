using NodeAgent.Sampling.Inventory;
using Wire = NodeAgent.V1;

namespace NodeAgent.Agent.Events;

/// <summary>From the plain inventory to the contract's message, field by field.</summary>
internal static class InventoryMapping
{
    internal static Wire.Inventory ToWire(HostInventory host, ulong sequence, long wallUnixMs)
    {
        Wire.Inventory wire = new()
        {
            Sequence = sequence,
            WallUnixMs = wallUnixMs,
            HostName = host.HostName,
            BootId = host.BootId,
            BootUnixMs = host.BootUnixMs,
            Os = host.Os,
            Kernel = host.Kernel,
            Architecture = host.Architecture,
            MachineId = host.MachineId,
            Virtualization = host.Virtualization,
            MemoryBytes = host.MemoryBytes,
            AgentVersion = AgentVersion.Text,
            Cpu = new Wire.Inventory.Types.Cpu
            {
                Model = host.Cpu.Model,
                Vendor = host.Cpu.Vendor,
                Sockets = host.Cpu.Sockets,
                Cores = host.Cpu.Cores,
                Threads = host.Cpu.Threads,
                MaxHertz = host.Cpu.MaxHertz,
            },
            Board = new Wire.Inventory.Types.Board
            {
                Vendor = host.Board.Vendor,
                Product = host.Board.Product,
                BiosVersion = host.Board.BiosVersion,
                Serial = host.Board.Serial,
            },
        };
        wire.NetworkInterfaces.AddRange(host.NetworkInterfaces.Select(ToWire));
        wire.Disks.AddRange(host.Disks.Select(ToWire));
        wire.NumaNodes.AddRange(host.NumaNodes.Select(node =>
            new Wire.Inventory.Types.NumaNode { Id = node.Id, Cpus = node.Cpus, MemoryBytes = node.MemoryBytes }));
        wire.Accelerators.AddRange(host.Accelerators.Select(ToWire));
        return wire;
    }

    private static Wire.Inventory.Types.NetworkInterface ToWire(NetworkInterfaceInventory nic) => new()
    {
        Name = nic.Name,
        Mac = nic.Mac,
        Driver = nic.Driver,
        SpeedBitsPerSecond = nic.SpeedBitsPerSecond,
        PciAddress = nic.PciAddress,
        NumaNode = nic.NumaNode,
        Mtu = nic.Mtu,
        RdmaDevice = nic.RdmaDevice,
    };

    private static Wire.Inventory.Types.Disk ToWire(DiskInventory disk) => new()
    {
        Name = disk.Name,
        Model = disk.Model,
        SizeBytes = disk.SizeBytes,
        Rotational = disk.IsRotational,
        Serial = disk.Serial,
        PciAddress = disk.PciAddress,
    };

    private static Wire.Inventory.Types.PciDevice ToWire(PciDeviceInventory device) => new()
    {
        Address = device.Address,
        VendorId = device.VendorId,
        DeviceId = device.DeviceId,
        Driver = device.Driver,
        NumaNode = device.NumaNode,
    };
}
