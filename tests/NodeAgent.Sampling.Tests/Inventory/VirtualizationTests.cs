using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Inventory;

public sealed class VirtualizationTests : IDisposable
{
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("Supermicro", "SYS-821GE-TNHR", false, "none")]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", true, "qemu")]
    [InlineData("Amazon EC2", "p5.48xlarge", true, "amazon")]
    [InlineData("Amazon EC2", "p5.metal", false, "none")]
    [InlineData("Microsoft Corporation", "Virtual Machine", true, "microsoft")]
    [InlineData("Google", "Google Compute Engine", true, "google")]
    [InlineData("", "", true, "vm")]
    [InlineData("", "", false, "none")]
    public void Detect_OfAFirmwaresNames_SaysWhatIsBelow(string vendor, string product, bool hasHypervisor, string expected) =>
        Assert.Equal(expected, Virtualization.Detect(_host.Roots, new CpuinfoReading { HasHypervisor = hasHypervisor }, new BoardInventory(vendor, product, "", "")));

    [Theory]
    [InlineData("0::/kubepods.slice/kubepods-pod7d1f.slice/cri-containerd-0123.scope\n", "container")]
    [InlineData("4:memory:/docker/0123456789\n", "container")]
    [InlineData("0::/init.scope\n", "none")]
    public void Detect_OfTheFirstProcessesGroup_KnowsAContainer(string cgroup, string expected)
    {
        _host.Write("proc/1/cgroup", cgroup);

        Assert.Equal(expected, Virtualization.Detect(_host.Roots, new CpuinfoReading(), new BoardInventory("", "", "", "")));
    }

    [Theory]
    [InlineData("0-255", 256)]
    [InlineData("0-63,128-191", 128)]
    [InlineData("0", 1)]
    [InlineData("", 0)]
    [InlineData("3-1", 0)]
    [InlineData("0-4294967295", 0)]
    [InlineData("a-b", 0)]
    public void Count_OfAListOfProcessors_AddsTheRanges(string list, uint expected) => Assert.Equal(expected, CpuListParser.Count(list));
}
