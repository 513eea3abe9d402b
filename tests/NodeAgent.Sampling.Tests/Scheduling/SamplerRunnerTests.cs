using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class SamplerRunnerTests
{
    private static readonly SampleTime Now = new(1_000, 1_000);
    private readonly ManualTime _time = new(0);
    private readonly Observer _observer = new();

    [Fact]
    public void Run_OfASamplerThatThrows_IsFailedKeepsTheErrorAndHandsOutNoHalfReading()
    {
        IOException gone = new("gone");
        SamplerRunner runner = Runner(_ => throw gone);

        Assert.Equal(SampleStatus.Failed, runner.Run(Now));
        Assert.Same(gone, runner.LastError);
        Assert.False(runner.Series.IsPresent(0));
        Assert.Equal(1, runner.Failures);
    }

    [Fact]
    public void Run_FailingForAWhile_ReportsTheFirstAndTheRecoveryWithTheCountBetween()
    {
        SamplerRunner runner = Runner(call => call is >= 3 and <= 7 ? throw new IOException("gone") : SampleStatus.Ok);
        for (int i = 0; i < 10; i++)
        {
            runner.Run(Now);
        }

        Assert.Collection(
            _observer.Changes,
            first => Assert.Equal(new SamplerChange("scripted", null, SampleStatus.Ok, 0, null), first),
            failure =>
            {
                Assert.Equal((SampleStatus.Ok, SampleStatus.Failed, 2), (failure.From, failure.To, failure.CallsInFrom));
                Assert.Equal("gone", failure.Error?.Message);
            },
            recovery => Assert.Equal(new SamplerChange("scripted", SampleStatus.Failed, SampleStatus.Ok, 5, null), recovery));
        Assert.Equal(5, runner.Failures);
        Assert.Equal(10, runner.Calls);
    }

    [Fact]
    public void Run_Always_MeasuresTheCall()
    {
        SamplerRunner runner = Runner(_ =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(40));
            return SampleStatus.Ok;
        });
        runner.Run(Now);

        Assert.Equal(40, runner.LastDuration.TotalMilliseconds, precision: 2);
    }

    [Fact]
    public void Run_WhereNothingIsThere_IsNoFailure()
    {
        SamplerRunner runner = Runner(_ => SampleStatus.NoData);
        runner.Run(Now);

        Assert.Equal(0, runner.Failures);
        Assert.True(SamplerRunner.IsSuccess(SampleStatus.NoData));
    }

    private SamplerRunner Runner(Func<int, SampleStatus> script) =>
        new(new ScriptedSampler("scripted", script), TimeSpan.FromSeconds(1), _time, _observer);

    private sealed class Observer : ISamplerObserver
    {
        public List<SamplerChange> Changes { get; } = [];

        public void OnStateChanged(in SamplerChange change) => Changes.Add(change);
    }
}
