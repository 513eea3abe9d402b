using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Cpu;

/// <summary>What a host with many processors gets, on one with sixteen whose numbers can be checked by hand.</summary>
public sealed class SummedDetailTests
{
    private static readonly SampleTime Now = new(1_000, 1_000);

    [Fact]
    public void Sample_OfThrottles_SumsTheCoresOfAPackageOnceEach()
    {
        using ThermalThrottleSampler sampler = new(HostFixtures.Roots("cgroup-v2"), CpuDetail.Summed);
        sampler.Sample(Now);

        Assert.Equal(
            ["node_cpu_core_throttles_total{core=\"all\",package=\"0\"}", "node_cpu_package_throttles_total{package=\"0\"}"],
            sampler.Series.Definitions.Select(series => series.ToString()));
        Assert.Equal([0 + 1 + 2 + 3 + 4 + 5 + 6 + 7, 31], sampler.Series.Values.ToArray());
    }

    [Fact]
    public void Sample_OfFrequencies_GivesTheMean()
    {
        using CpuFrequencySampler sampler = new(HostFixtures.Roots("cgroup-v2"), CpuDetail.Summed);
        sampler.Sample(Now);

        Assert.Equal("node_cpu_scaling_frequency_hertz{cpu=\"all\"}", Assert.Single(sampler.Series.Definitions).ToString());
        Assert.Equal(1_550_000_000, sampler.Series.Values[0]); // 0.8, 0.9, ... 2.3 GHz
    }

    [Fact]
    public void Sample_OfRunQueues_GivesTheSumOfTheProcessors()
    {
        using SchedstatSampler each = new(HostFixtures.Roots("cgroup-v2"), CpuDetail.PerCore);
        using SchedstatSampler all = new(HostFixtures.Roots("cgroup-v2"), CpuDetail.Summed);
        each.Sample(Now);
        all.Sample(Now);

        Assert.Equal(3, all.Series.Count);
        for (int column = 0; column < 3; column++)
        {
            double sum = 0;
            for (int i = column; i < each.Series.Count; i += 3)
            {
                sum += each.Series.Values[i];
            }

            Assert.Equal(sum, all.Series.Values[column], tolerance: 16e-6); // each is cut to whole microseconds
        }
    }
}
