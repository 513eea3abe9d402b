using System.Text;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Inventory;

public sealed class InventoryReaderTests
{
    public static TheoryData<string> Hosts() => [.. HostFixtures.Names];

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Read_OfACapturedHost_GivesTheGoldenInventory(string host) =>
        GoldenFile.Check(
            Path.Combine(HostFixtures.Directory, host, "golden", "inventory.txt"), Describe(new InventoryReader(HostFixtures.Roots(host)).Read()));

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Read_Twice_IsEqualByContent(string host)
    {
        HostInventory first = new InventoryReader(HostFixtures.Roots(host)).Read();
        HostInventory second = new InventoryReader(HostFixtures.Roots(host)).Read();

        Assert.NotSame(first, second);
        Assert.Equal(first, second);
        Assert.Equal(first.GetHashCode(), second.GetHashCode());
    }

    [Fact]
    public void Read_AfterAChangeDeepInside_IsNotEqual()
    {
        HostInventory first = new InventoryReader(HostFixtures.Roots("dual-socket-128-core")).Read();
        HostInventory changed = first with { Accelerators = new(first.Accelerators.Select((gpu, i) => i == 3 ? gpu with { Driver = "" } : gpu)) };

        Assert.NotEqual(first, changed);
        Assert.NotEqual(first, first with { Disks = new(first.Disks.Skip(1)) });
    }

    [Fact]
    public void Read_OfNothing_IsUnknownNotAnError()
    {
        using ScratchHost host = new();
        HostInventory inventory = new InventoryReader(host.Roots).Read();

        Assert.Equal(("", 0UL, 0), (inventory.HostName, inventory.MemoryBytes, inventory.Disks.Count));
    }

    [Fact]
    public void Read_OfThisHost_AgreesWithTheFramework()
    {
        HostInventory inventory = new InventoryReader(new HostRoots()).Read();

        Assert.Equal(Environment.MachineName, inventory.HostName);
        Assert.True(inventory.Cpu.Threads >= (uint)Environment.ProcessorCount);
        Assert.Matches("^[0-9a-f-]{36}$", inventory.BootId);
        Assert.True(inventory.MemoryBytes > 0);
        Assert.True(inventory.BootUnixMs > 1_000_000_000_000);
    }

    [Fact]
    public void Read_WhenTheKernelsBootTimeFlipsBetweenTwoSeconds_StaysTheSame()
    {
        using ScratchHost host = new();
        host.Write("proc/stat", "btime 1700000000\n");
        InventoryReader reader = new(host.Roots);
        HostInventory first = reader.Read();
        host.Write("proc/stat", "btime 1700000001\n");
        Assert.Equal(first, reader.Read());

        host.Write("proc/stat", "btime 1700000060\n");
        Assert.Equal(1_700_000_060_000, reader.Read().BootUnixMs);
    }

    [Theory]
    [InlineData(0x030200u, 0x10deu, true)] // NVIDIA, 3D controller
    [InlineData(0x030000u, 0x1002u, true)] // AMD, VGA
    [InlineData(0x030000u, 0x1a03u, false)] // ASPEED, the management controller's VGA
    [InlineData(0x120000u, 0x1da3u, true)] // Habana
    [InlineData(0x020000u, 0x15b3u, false)] // a network adapter
    public void IsAccelerator_OfAPciFunction_KnowsGpusFromConsoles(uint classCode, uint vendor, bool expected) =>
        Assert.Equal(expected, PciAddress.IsAccelerator(classCode, vendor));

    private static string Describe(HostInventory inventory)
    {
        StringBuilder text = new();
        text.Append($"host {inventory.HostName}\nos {inventory.Os}\nkernel {inventory.Kernel}\nmachine {inventory.MachineId}\n");
        text.Append($"boot {inventory.BootId} {inventory.BootUnixMs}\nvirtualization {inventory.Virtualization}\nmemory {inventory.MemoryBytes}\n");
        text.Append($"{inventory.Cpu}\n{inventory.Board}\n");
        foreach (object item in (IEnumerable<object>)[.. inventory.NetworkInterfaces, .. inventory.Disks, .. inventory.NumaNodes, .. inventory.Accelerators])
        {
            text.Append(item).Append('\n');
        }

        return text.ToString();
    }
}
