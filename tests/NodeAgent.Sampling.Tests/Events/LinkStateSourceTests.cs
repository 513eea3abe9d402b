using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Events;

public sealed class LinkStateSourceTests : IDisposable
{
    private readonly ScratchHost _host = new();

    public LinkStateSourceTests()
    {
        Add("eth0", changes: 2);
        _host.Write("sys/class/net/veth1/carrier_changes", "1\n"); // no device behind it
        _host.Write("sys/class/net/veth1/carrier", "1\n");
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Drain_OfWhatWasBefore_IsNoEvent() => Assert.Empty(Drain(Open()));

    [Fact]
    public void Drain_WhenALinkGoesDownAndUp_SaysSo()
    {
        LinkStateSource source = Open();
        Drain(source);
        _host.Write("sys/class/net/eth0/carrier_changes", "3\n");
        _host.Write("sys/class/net/eth0/carrier", "0\n");
        HostEvent down = Assert.Single(Drain(source));
        Assert.Equal((HostEventKind.LinkDown, "eth0", "1"), (down.Kind, down.Attribute("interface"), down.Attribute("changes")));
        Assert.Empty(Drain(source));

        _host.Write("sys/class/net/eth0/carrier_changes", "4\n");
        _host.Write("sys/class/net/eth0/carrier", "1\n");
        Assert.Equal(HostEventKind.LinkUp, Assert.Single(Drain(source)).Kind);
    }

    [Fact]
    public void Drain_WhenALinkFlappedBetweenTwoLooks_CountsTheChanges()
    {
        LinkStateSource source = Open();
        Drain(source);
        _host.Write("sys/class/net/eth0/carrier_changes", "8\n");

        HostEvent flap = Assert.Single(Drain(source));
        Assert.Equal((HostEventKind.LinkUp, "6"), (flap.Kind, flap.Attribute("changes")));
    }

    [Fact]
    public void Drain_OfAVirtualInterface_IsNoEvent()
    {
        LinkStateSource source = Open();
        Drain(source);
        _host.Write("sys/class/net/veth1/carrier_changes", "9\n");

        Assert.Empty(Drain(source));
    }

    [Fact]
    public void Drain_WhenAnotherInterfaceComesInTheSameLook_LosesNoChange()
    {
        LinkStateSource source = Open();
        Drain(source);
        Add("eth1", changes: 5);
        _host.Write("sys/class/net/eth0/carrier_changes", "3\n");
        Assert.Equal("eth0", Assert.Single(Drain(source, TimeSpan.FromSeconds(10))).Attribute("interface"));

        _host.Write("sys/class/net/eth1/carrier_changes", "6\n");
        Assert.Equal("eth1", Assert.Single(Drain(source, TimeSpan.FromSeconds(11))).Attribute("interface"));
    }

    [Fact]
    public void Drain_WithNothingNew_AllocatesNothing()
    {
        LinkStateSource source = Open();
        List<HostEvent> events = [];
        source.Drain(SamplerText.Now, events);
        source.Drain(SamplerText.Now, events);

        Assert.Equal(0, Allocations.Of(() => Repeat(source, events)));
        Assert.Empty(events);
    }

    private static void Repeat(LinkStateSource source, List<HostEvent> events)
    {
        for (int i = 0; i < 100; i++)
        {
            source.Drain(SamplerText.Now, events);
        }
    }

    private LinkStateSource Open() => new(_host.Roots, "boot");

    private static List<HostEvent> Drain(LinkStateSource source, TimeSpan later = default)
    {
        List<HostEvent> events = [];
        source.Drain(SamplerText.Now with { MonotonicNs = SamplerText.Now.MonotonicNs + (long)later.TotalNanoseconds }, events);
        return events;
    }

    private void Add(string name, int changes)
    {
        _host.Write($"sys/class/net/{name}/device/vendor", "0x15b3\n");
        _host.Write($"sys/class/net/{name}/carrier_changes", $"{changes}\n");
        _host.Write($"sys/class/net/{name}/carrier", "1\n");
    }
}
