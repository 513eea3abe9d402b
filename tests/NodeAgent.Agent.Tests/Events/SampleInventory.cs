using NodeAgent.Sampling.Inventory;

namespace NodeAgent.Agent.Tests.Events;

/// <summary>An inventory in which no two fields are equal and none is a default.</summary>
internal static class SampleInventory
{
    internal static HostInventory Full { get; } = new()
    {
        HostName = "h1",
        BootId = "b1",
        BootUnixMs = 101,
        Os = "os",
        Kernel = "6.1",
        Architecture = "x86_64",
        MachineId = "m1",
        Virtualization = "kvm",
        MemoryBytes = 102,
        Cpu = new CpuInventory("model", "vendor", 2, 64, 128, 103),
        Board = new BoardInventory("bv", "bp", "bb", "bs"),
        NetworkInterfaces = new([new NetworkInterfaceInventory("eth0", "aa:bb", "mlx5_core", 104, "0000:01:00.0", 1, 9000, "mlx5_0")]),
        Disks = new([new DiskInventory("sda", "dm", 105, true, "ds", "0000:02:00.0"), new DiskInventory("nvme0n1", "nm", 106, false, "ns", "0000:03:00.0")]),
        NumaNodes = new([new NumaNodeInventory(3, "0-63", 107)]),
        Accelerators = new([new PciDeviceInventory("0000:04:00.0", 0x10de, 0x2330, "nvidia", -1)]),
    };
}
