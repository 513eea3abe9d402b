using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Network;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Network;

public sealed class SoftnetSamplerTests : IDisposable
{
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Sample_WhenAWordOf32BitsWraps_GoesOn()
    {
        _host.Write("proc/net/softnet_stat", Line(0xfffffff0, 0) + Line(100, 1));
        SoftnetSampler sampler = new(_host.Roots, CpuDetail.Summed);
        SamplerText.Run(sampler);
        const string Processed = "node_softnet_processed_total{cpu=\"all\"}";
        Assert.Equal(0xfffffff0 + 100.0, SamplerText.Value(sampler, Processed));

        _host.Write("proc/net/softnet_stat", Line(0x10, 0) + Line(101, 1));
        SamplerText.Run(sampler);

        Assert.Equal(0xfffffff0 + 100.0 + 0x20 + 1, SamplerText.Value(sampler, Processed));
    }

    [Fact]
    public void Sample_WithAProcessorOffline_LabelsTheOthersByTheirNumber()
    {
        _host.Write("proc/net/softnet_stat", Line(1, 0) + Line(3, 2));
        SoftnetSampler sampler = new(_host.Roots, CpuDetail.Automatic);
        SamplerText.Run(sampler);

        Assert.Equal(3, SamplerText.Value(sampler, "node_softnet_processed_total{cpu=\"2\"}"));
        Assert.Null(SamplerText.Value(sampler, "node_softnet_processed_total{cpu=\"1\"}"));
    }

    private static string Line(uint processed, int cpu) =>
        $"{processed:x8} 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 {cpu:x8} 00000000 00000000\n";
}
