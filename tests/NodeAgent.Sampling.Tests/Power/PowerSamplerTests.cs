using NodeAgent.Sampling.Power;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Power;

public sealed class PowerSamplerTests : IDisposable
{
    private const string Series = "node_rapl_package_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0\"}";
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Sample_WhenTheHardwareStartsAgainAtZero_GoesOn()
    {
        _host.Write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
        _host.Write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
        _host.Write("sys/class/powercap/intel-rapl:0/energy_uj", "262143000000\n");
        PowerSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        Assert.Equal(262143.0, SamplerText.Value(sampler, Series));

        _host.Write("sys/class/powercap/intel-rapl:0/energy_uj", "671150\n");
        SamplerText.Run(sampler);

        Assert.Equal(262144.0, SamplerText.Value(sampler, Series)!.Value, 6);
    }

    [Fact]
    public void Sample_OfZonesThatMayNotBeRead_IsFailedNotEmpty()
    {
        _host.Write("sys/class/powercap/intel-rapl:0/name", "package-0\n");

        Assert.Equal(SampleStatus.Failed, SamplerText.Run(new PowerSampler(_host.Roots)));
    }

    [Fact]
    public void Sample_OfAHostWithoutRapl_IsNoData()
    {
        _host.Write("sys/class/powercap/intel-rapl/enabled", "0\n");

        Assert.Equal(SampleStatus.NoData, SamplerText.Run(new PowerSampler(_host.Roots)));
    }

    [Fact]
    public void Split_OfZonesWithTheSameName_NumbersThem()
    {
        Dictionary<string, int> used = [];

        Assert.Equal(("package", 0), RaplNames.Split("package-0", used));
        Assert.Equal(("dram", 0), RaplNames.Split("dram", used));
        Assert.Equal(("dram", 1), RaplNames.Split("dram", used));
        Assert.Equal(("package", 1), RaplNames.Split("package-1", used));
        Assert.Equal(("a-b-c", 0), RaplNames.Split("a-b-c", used));
    }
}
