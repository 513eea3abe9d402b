using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Cpu;

public sealed class CpuSamplerTests : IDisposable
{
    private static readonly SampleTime Now = new(1_000, 1_000);
    private readonly string _proc = Directory.CreateTempSubdirectory("proc").FullName;

    public void Dispose() => Directory.Delete(_proc, recursive: true);

    [Theory]
    [InlineData(16, 0, 16)] // CpuDetail.Automatic
    [InlineData(17, 0, 1)]
    [InlineData(17, 1, 17)] // PerCore
    [InlineData(2, 2, 1)] // Summed
    public void Sample_ByDetail_KeepsASetPerProcessorOrOneForAll(int processors, int detail, int sets)
    {
        Write(Enumerable.Range(0, processors));
        using CpuSampler sampler = Sampler((CpuDetail)detail);
        Assert.Equal(SampleStatus.Ok, sampler.Sample(Now));

        Assert.Equal(sets, sampler.Series.Definitions.Count(series => series.LabelValue("mode") == "idle"));
        Assert.Equal(processors, Value(sampler, "node_cpus_online"));
    }

    [Fact]
    public void Sample_WhenAProcessorGoesOffline_RebuildsTheColumnsByNumber()
    {
        Write([0, 1, 2]);
        using CpuSampler sampler = Sampler(CpuDetail.Automatic);
        sampler.Sample(Now);
        int version = sampler.Series.Version;
        Write([0, 2]);
        sampler.Series.ClearValues();
        Assert.Equal(SampleStatus.Ok, sampler.Sample(Now));

        Assert.True(sampler.Series.Version > version);
        Assert.Null(Value(sampler, "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"}"));
        Assert.Equal(2.02, Value(sampler, "node_cpu_seconds_total{cpu=\"2\",mode=\"user\"}"));
    }

    [Fact]
    public void Sample_WhenIdleTimeStepsBackALittle_HoldsIt()
    {
        WriteText("cpu  1 0 1 1000 0 0 0 0 0 0\ncpu0 1 0 1 1000 0 0 0 0 0 0\n");
        using CpuSampler sampler = Sampler(CpuDetail.Automatic);
        sampler.Sample(Now);
        WriteText("cpu  1 0 1 999 0 0 0 0 0 0\ncpu0 1 0 1 999 0 0 0 0 0 0\n");
        sampler.Sample(Now);
        Assert.Equal(10, Value(sampler, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}"));

        WriteText("cpu  1 0 1 100 0 0 0 0 0 0\ncpu0 1 0 1 100 0 0 0 0 0 0\n");
        sampler.Sample(Now);
        Assert.Equal(1, Value(sampler, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}"));
    }

    [Fact]
    public void Sample_OfACutFile_SaysMalformedAndLeavesTheRestWithoutValues()
    {
        Write([0, 1]);
        using CpuSampler sampler = Sampler(CpuDetail.Automatic);
        sampler.Sample(Now);
        string text = File.ReadAllText(Path.Combine(_proc, "stat"));
        WriteText(text[..text.IndexOf("ctxt", StringComparison.Ordinal)] + "ct");
        sampler.Series.ClearValues();

        Assert.Equal(SampleStatus.Malformed, sampler.Sample(Now));
        Assert.NotNull(Value(sampler, "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"}"));
        Assert.Null(Value(sampler, "node_context_switches_total"));
    }

    [Fact]
    public void Sample_OfAnEmptyFile_IsNoData()
    {
        WriteText("");
        using CpuSampler sampler = Sampler(CpuDetail.Automatic);

        Assert.Equal(SampleStatus.NoData, sampler.Sample(Now));
    }

    private CpuSampler Sampler(CpuDetail detail) => new(new HostRoots(Proc: _proc), detail);

    private void Write(IEnumerable<int> processors) => WriteText(
        "cpu  9 0 9 9 0 0 0 0 0 0\n" +
        string.Concat(processors.Select(i => $"cpu{i} {200 + i} 0 0 0 0 0 0 0 0 0\n")) +
        "intr 5 1\nctxt 77\nbtime 1\n");

    private void WriteText(string text) => File.WriteAllText(Path.Combine(_proc, "stat"), text);

    private static double? Value(CpuSampler sampler, string series)
    {
        for (int i = 0; i < sampler.Series.Count; i++)
        {
            if (sampler.Series.Definitions[i].ToString() == series && sampler.Series.IsPresent(i))
            {
                return sampler.Series.Values[i];
            }
        }

        return null;
    }
}
