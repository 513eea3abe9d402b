using NodeAgent.Sampling.Network;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Network;

public sealed class NetworkLinkSamplerTests : IDisposable
{
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Sample_WithoutTheFolder_IsNoDataUntilItIsThere()
    {
        NetworkLinkSampler sampler = new(_host.Roots);
        Assert.Equal(SampleStatus.NoData, SamplerText.Run(sampler));

        AddInterface("eth0");
        Assert.Equal(SampleStatus.NoData, SamplerText.Run(sampler, TimeSpan.FromSeconds(1)));
        Assert.Equal(SampleStatus.Ok, SamplerText.Run(sampler, TimeSpan.FromSeconds(10)));
        Assert.Equal(1, SamplerText.Value(sampler, "node_network_up{device=\"eth0\"}"));
    }

    [Fact]
    public void Sample_WhenInterfacesComeAndGo_FollowsThem()
    {
        AddInterface("eth0");
        NetworkLinkSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        AddInterface("eth1");
        SamplerText.Run(sampler, TimeSpan.FromSeconds(10));
        Assert.Equal(9000, SamplerText.Value(sampler, "node_network_mtu_bytes{device=\"eth1\"}"));

        _host.Remove("sys/class/net/eth0");
        SamplerText.Run(sampler, TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(SamplerText.Values(sampler).Keys, series => series.Contains("eth0", StringComparison.Ordinal));
        Assert.Equal(9000, SamplerText.Value(sampler, "node_network_mtu_bytes{device=\"eth1\"}"));
    }

    [Fact]
    public void Sample_WhenTheLinkGoesDown_MovesTheInfoSeriesInTheSameTick()
    {
        AddInterface("eth0");
        NetworkLinkSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        const string Info = "node_network_info{address=\"02:00:00:00:00:01\",device=\"eth0\",operstate=\"";
        Assert.Equal(1, SamplerText.Value(sampler, Info + "up\"}"));

        _host.Write("sys/class/net/eth0/operstate", "down\n");
        SamplerText.Run(sampler);

        Assert.Equal(1, SamplerText.Value(sampler, Info + "down\"}"));
        Assert.Null(SamplerText.Value(sampler, Info + "up\"}"));
        Assert.Equal(0, SamplerText.Value(sampler, "node_network_up{device=\"eth0\"}"));
    }

    [Fact]
    public void Sample_OfALinkWhoseSpeedIsUnknown_HasNoSpeed()
    {
        AddInterface("eth0");
        _host.Write("sys/class/net/eth0/device/vendor", "0x8086\n");
        _host.Write("sys/class/net/eth0/speed", "-1\n");
        NetworkLinkSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        Assert.Null(SamplerText.Value(sampler, "node_network_speed_bytes{device=\"eth0\"}"));

        _host.Write("sys/class/net/eth0/speed", "400000\n");
        SamplerText.Run(sampler);
        Assert.Equal(50e9, SamplerText.Value(sampler, "node_network_speed_bytes{device=\"eth0\"}"));
    }

    private void AddInterface(string name)
    {
        _host.Write($"sys/class/net/{name}/operstate", "up\n");
        _host.Write($"sys/class/net/{name}/mtu", "9000\n");
        _host.Write($"sys/class/net/{name}/address", "02:00:00:00:00:01\n");
    }
}
