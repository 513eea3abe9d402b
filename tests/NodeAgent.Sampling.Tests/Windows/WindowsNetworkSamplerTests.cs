using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Tests.Windows;

public sealed class WindowsNetworkSamplerTests
{
    private readonly ScriptedWin32 _win32 = new();
    private readonly WindowsNetworkSampler _sampler;

    public WindowsNetworkSamplerTests() => _sampler = new WindowsNetworkSampler(_win32);

    [Fact]
    public void Sample_OfAnAdapter_SetsItsCounters()
    {
        InterfaceRow row = ScriptedWin32.Interface(1, "Ethernet");
        (row.InOctets, row.InUnicastPackets, row.InOtherPackets, row.InErrors, row.InDiscards) = (ulong.MaxValue >> 12, 10, 5, 3, 4);
        (row.OutOctets, row.OutUnicastPackets, row.OutOtherPackets, row.OutErrors, row.OutDiscards) = (7000, 20, 6, 8, 9);
        _win32.Interfaces = [row];

        Assert.Equal(SampleStatus.Ok, SamplerText.Run(_sampler));

        string[] names = ["receive_bytes", "receive_packets", "receive_errs", "receive_drop", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop"];
        Assert.Equal([ulong.MaxValue >> 12, 15, 3, 4, 7000, 26, 8, 9], [.. names.Select(name => Value(name, "Ethernet")!.Value)]);
        Assert.Equal(0, _win32.TablesHeld);
    }

    [Fact]
    public void Sample_OfLoopbackAndFilters_LeavesThemOut()
    {
        _win32.Interfaces =
        [
            ScriptedWin32.Interface(1, "Loopback Pseudo-Interface 1", type: 24),
            ScriptedWin32.Interface(2, "Ethernet-WFP Native MAC Layer LightWeight Filter-0000", flags: 2),
        ];

        Assert.Equal(SampleStatus.NoData, SamplerText.Run(_sampler));
        Assert.Equal(0, _sampler.Series.Count);
    }

    [Fact]
    public void Sample_WhenAnAdapterIsRenamedOrGone_BuildsTheColumnsAgain()
    {
        _win32.Interfaces = [ScriptedWin32.Interface(1, "Ethernet"), ScriptedWin32.Interface(2, "Ethernet 2")];
        SamplerText.Run(_sampler);
        Assert.Equal(16, _sampler.Series.Count);

        _win32.Interfaces = [ScriptedWin32.Interface(1, "Storage"), ScriptedWin32.Interface(2, "Ethernet 2")];
        SamplerText.Run(_sampler);
        Assert.NotNull(Value("receive_bytes", "Storage"));
        Assert.Null(Value("receive_bytes", "Ethernet"));

        _win32.Interfaces = [ScriptedWin32.Interface(2, "Ethernet 2")];
        SamplerText.Run(_sampler);
        Assert.Equal(8, _sampler.Series.Count);
    }

    [Fact]
    public void Sample_OfTwoAdaptersOfOneName_KeepsThemApart()
    {
        _win32.Interfaces = [ScriptedWin32.Interface(1, "Ethernet"), ScriptedWin32.Interface(0xab, "Ethernet"), ScriptedWin32.Interface(3, "")];
        SamplerText.Run(_sampler);

        Assert.Equal(24, SamplerText.Values(_sampler).Count);
        Assert.NotNull(Value("receive_bytes", "Ethernet#ab"));
        Assert.NotNull(Value("receive_bytes", "#3"));
    }

    private double? Value(string metric, string device) => SamplerText.Value(_sampler, $"node_network_{metric}_total{{device=\"{device}\"}}");
}
