using NodeAgent.Sampling.Disk;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Tests.Hosts;

namespace NodeAgent.Sampling.Tests.Disk;

public sealed class DiskSamplerTests : IDisposable
{
    private readonly ScratchHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Sample_WithoutTheFile_IsNoData() => Assert.Equal(SampleStatus.NoData, SamplerText.Run(new DiskSampler(_host.Roots)));

    [Fact]
    public void Sample_OfAnEmptyFile_IsNoData()
    {
        _host.Write("proc/diskstats", "");

        Assert.Equal(SampleStatus.NoData, SamplerText.Run(new DiskSampler(_host.Roots)));
    }

    [Fact]
    public void Sample_OfPartitionsAndLoopDevicesOnly_IsNoDataWithoutColumns()
    {
        _host.Write("proc/diskstats", Line("loop0", 1) + Line("sda1", 1) + Line("nvme0n1p2", 1) + Line("ram3", 1));
        DiskSampler sampler = new(_host.Roots);

        Assert.Equal(SampleStatus.NoData, SamplerText.Run(sampler));
        Assert.Equal(0, sampler.Series.Count);
    }

    [Fact]
    public void Sample_WhenADiskComesAndGoes_BuildsTheColumnsAgainOnce()
    {
        _host.Write("proc/diskstats", Line("sda", 1));
        DiskSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        int one = sampler.Series.Version;
        SamplerText.Run(sampler);
        Assert.Equal(one, sampler.Series.Version);

        _host.Write("proc/diskstats", Line("sda", 2) + Line("sdb", 3));
        SamplerText.Run(sampler);
        Assert.Equal(34, sampler.Series.Count);
        Assert.Equal(3, SamplerText.Value(sampler, "node_disk_reads_completed_total{device=\"sdb\"}"));
        int two = sampler.Series.Version;
        SamplerText.Run(sampler);
        Assert.Equal(two, sampler.Series.Version);

        _host.Write("proc/diskstats", Line("sdb", 4));
        SamplerText.Run(sampler);
        Assert.Equal(17, sampler.Series.Count);
        Assert.Equal(4, SamplerText.Value(sampler, "node_disk_reads_completed_total{device=\"sdb\"}"));
    }

    [Fact]
    public void Sample_WhenTheOrderChanges_KeepsTheColumnsAndTheirValues()
    {
        _host.Write("proc/diskstats", Line("sda", 1) + Line("sdb", 2) + Line("sdc", 3));
        DiskSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        int version = sampler.Series.Version;

        _host.Write("proc/diskstats", Line("sdc", 30) + Line("sda", 10) + Line("sdb", 20));
        SamplerText.Run(sampler);

        Assert.Equal(version, sampler.Series.Version);
        Assert.Equal(10, SamplerText.Value(sampler, "node_disk_reads_completed_total{device=\"sda\"}"));
        Assert.Equal(30, SamplerText.Value(sampler, "node_disk_reads_completed_total{device=\"sdc\"}"));
    }

    [Fact]
    public void Sample_OfOneBadLine_KeepsTheOthersAndSaysMalformed()
    {
        _host.Write("proc/diskstats", Line("sda", 1) + "   8 16 sdb what\n" + Line("sdc", 3));
        DiskSampler sampler = new(_host.Roots);

        Assert.Equal(SampleStatus.Malformed, SamplerText.Run(sampler));
        Assert.Equal(3, SamplerText.Value(sampler, "node_disk_reads_completed_total{device=\"sdc\"}"));
    }

    [Fact]
    public void Sample_OfTheSameDiskTwice_DoesNotBuildAgainEveryTick()
    {
        _host.Write("proc/diskstats", Line("sda", 1) + Line("sda", 2));
        DiskSampler sampler = new(_host.Roots);
        SamplerText.Run(sampler);
        int version = sampler.Series.Version;
        SamplerText.Run(sampler);

        Assert.Equal(17, sampler.Series.Count);
        Assert.Equal(version, sampler.Series.Version);
    }

    [Fact]
    public void Sample_OfMoreDisksThanAreFollowed_IsTruncatedAndBounded()
    {
        _host.Write("proc/diskstats", string.Concat(Enumerable.Range(0, 3000).Select(i => Line($"dm-{i}", 1))));
        DiskSampler sampler = new(_host.Roots);

        Assert.Equal(SampleStatus.Truncated, SamplerText.Run(sampler));
        Assert.Equal(2048 * 17, sampler.Series.Count);
        int version = sampler.Series.Version;
        SamplerText.Run(sampler);
        Assert.Equal(version, sampler.Series.Version);
    }

    private static string Line(string device, int reads) => $"   8       0 {device} {reads} 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n";
}
