using System.Collections;

namespace NodeAgent.Sampling.Inventory;

/// <summary>
/// What the host is made of. Two are equal when everything in them is, so that a change is one comparison. Fields and their
/// meaning of "unknown" are those of <c>nodeagent.v1.Inventory</c>.
/// </summary>
public sealed record HostInventory
{
    public required string HostName { get; init; }

    public required string BootId { get; init; }

    /// <summary>Milliseconds since 1970 UTC; 0: unknown.</summary>
    public required long BootUnixMs { get; init; }

    public required string Os { get; init; }

    public required string Kernel { get; init; }

    public required string Architecture { get; init; }

    public required string MachineId { get; init; }

    /// <summary>"none" on bare metal, else what the platform says; "": unknown.</summary>
    public required string Virtualization { get; init; }

    /// <summary>Bytes; 0: unknown.</summary>
    public required ulong MemoryBytes { get; init; }

    public required CpuInventory Cpu { get; init; }

    public required BoardInventory Board { get; init; }

    public required Items<NetworkInterfaceInventory> NetworkInterfaces { get; init; }

    public required Items<DiskInventory> Disks { get; init; }

    public required Items<NumaNodeInventory> NumaNodes { get; init; }

    public required Items<PciDeviceInventory> Accelerators { get; init; }
}

/// <param name="Model">As the processor calls itself.</param>
/// <param name="Vendor">GenuineIntel, AuthenticAMD, ARM, ...</param>
/// <param name="Sockets">Packages; 0: unknown.</param>
/// <param name="Cores">Physical cores; 0: unknown.</param>
/// <param name="Threads">Logical processors that are online.</param>
/// <param name="MaxHertz">Highest frequency; 0: unknown.</param>
public sealed record CpuInventory(string Model, string Vendor, uint Sockets, uint Cores, uint Threads, ulong MaxHertz);

/// <param name="Vendor">Of the system.</param>
/// <param name="Product">Of the system.</param>
/// <param name="BiosVersion">Of the firmware.</param>
/// <param name="Serial">Needs root to read; "" otherwise.</param>
public sealed record BoardInventory(string Vendor, string Product, string BiosVersion, string Serial);

/// <param name="Name">Interface.</param>
/// <param name="Mac">Hardware address.</param>
/// <param name="Driver">"": none, as for virtual interfaces.</param>
/// <param name="SpeedBitsPerSecond">0: no link or unknown.</param>
/// <param name="PciAddress">"": not on PCI.</param>
/// <param name="NumaNode">-1: unknown or no NUMA.</param>
/// <param name="Mtu">Bytes.</param>
/// <param name="RdmaDevice">InfiniBand or RoCE device that is the same port; "": none.</param>
public sealed record NetworkInterfaceInventory(
    string Name, string Mac, string Driver, ulong SpeedBitsPerSecond, string PciAddress, int NumaNode, uint Mtu, string RdmaDevice);

/// <param name="Name">Block device.</param>
/// <param name="Model">"": unknown.</param>
/// <param name="SizeBytes">Capacity.</param>
/// <param name="IsRotational">Turns, rather than flash.</param>
/// <param name="Serial">"": unknown.</param>
/// <param name="PciAddress">Of the drive or its controller; "": not on PCI.</param>
public sealed record DiskInventory(string Name, string Model, ulong SizeBytes, bool IsRotational, string Serial, string PciAddress);

/// <param name="Id">Node.</param>
/// <param name="Cpus">As the kernel prints it: "0-63,128-191".</param>
/// <param name="MemoryBytes">0: unknown.</param>
public sealed record NumaNodeInventory(uint Id, string Cpus, ulong MemoryBytes);

/// <param name="Address">Domain, bus, device, function.</param>
/// <param name="VendorId">0x10de is NVIDIA, 0x1002 AMD, 0x8086 Intel.</param>
/// <param name="DeviceId">The vendor's number.</param>
/// <param name="Driver">"": no driver is bound.</param>
/// <param name="NumaNode">-1: unknown or no NUMA.</param>
public sealed record PciDeviceInventory(string Address, uint VendorId, uint DeviceId, string Driver, int NumaNode);

/// <summary>A list that equals another with equal items in the same order.</summary>
public sealed class Items<T>(IEnumerable<T> items) : IReadOnlyList<T>, IEquatable<Items<T>>
{
    private readonly T[] _items = [.. items];

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(Items<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as Items<T>);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (T item in _items)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }
}
