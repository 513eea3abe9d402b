using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Self;
using NodeAgent.Sampling.Tests.Scheduling;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Self;

public sealed class SelfSamplerTests
{
    private static readonly SampleTime Now = new(1_000, 1_000);
    private readonly ManualTime _time = new(0);
    private readonly TickStatistics _statistics = new();

    [Fact]
    public void Sample_AfterTheOthersRan_TellsDurationSuccessAndStatusOfEach()
    {
        SamplerRunner good = Runner("good", _ => SampleStatus.Ok);
        SamplerRunner bad = Runner("bad", _ => throw new IOException("gone"));
        SamplerRunner waiting = Runner("waiting", _ => SampleStatus.Ok);
        good.Run(Now);
        bad.Run(Now);
        SamplerRunner absent = Runner("absent", _ => SampleStatus.NoData);
        absent.Run(Now);
        SelfSampler self = Self(good, bad, waiting, absent);
        self.Sample(Now);

        Assert.Equal(0.002, Value(self, "node_scrape_collector_duration_seconds{collector=\"good\"}"));
        Assert.Equal(1, Value(self, "node_scrape_collector_success{collector=\"good\"}"));
        Assert.Equal(0, Value(self, "node_scrape_collector_success{collector=\"bad\"}"));
        Assert.Equal(4, Value(self, "nodeagent_sampler_status{collector=\"bad\"}"));
        Assert.Equal(1, Value(self, "nodeagent_sampler_failures_total"));
        Assert.Null(Value(self, "node_scrape_collector_success{collector=\"waiting\"}"));
        Assert.Null(Value(self, "node_scrape_collector_success{collector=\"absent\"}"));
        Assert.Equal(1, Value(self, "nodeagent_sampler_status{collector=\"absent\"}"));
    }

    [Fact]
    public void Sample_Again_AllocatesNothing()
    {
        SelfSampler self = Self(Runner("good", _ => SampleStatus.Ok));
        double fill = 0.25;
        self.AddSource(SelfMetrics.TicksTotal, () => fill, new Contracts.Series.Label("source", "test"));
        self.Sample(Now);

        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                self.Series.ClearValues();
                self.Sample(Now);
            }
        }));
        Assert.Equal(0.25, Value(self, "nodeagent_ticks_total{source=\"test\"}"));
    }

    private SamplerRunner Runner(string name, Func<int, SampleStatus> script) => new(
        new ScriptedSampler(name, call =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(2.0005));
            return script(call);
        }),
        TimeSpan.FromSeconds(1),
        _time);

    private SelfSampler Self(params SamplerRunner[] runners) => new(runners, _statistics);

    internal static double? Value(ISampler sampler, string series)
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
