using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

public sealed class OwnBeatSamplerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(30); // ends with the call; only a hung call uses it up

    [Fact]
    public void Sample_OfACallThatReturns_HandsOutItsValues()
    {
        using OwnBeatSampler own = new(new ScriptedSampler(), Deadline, LongPatience);

        Assert.Equal(SampleStatus.Ok, own.Sample(At(1)));
        Assert.Equal(1, own.Series.Values[0]);
        Assert.Equal(SampleStatus.Ok, own.Sample(At(2)));
        Assert.Equal(2, own.Series.Values[0]);
    }

    [Fact]
    public void Sample_OfACallThatHangs_HandsOutTheLastValuesThenStallsThenRecovers()
    {
        using GatedSampler inner = new();
        using OwnBeatSampler own = new(inner, Deadline, TimeSpan.Zero);
        own.Series.ClearValues();
        own.Sample(At(1));
        inner.Release(); // call 1 ends
        inner.AwaitReturn(own);
        own.Series.ClearValues();
        Assert.Equal(SampleStatus.Ok, own.Sample(At(2))); // starts call 2, which hangs
        Assert.Equal(1, own.Series.Values[0]);
        int columns = own.Series.Version;

        own.Series.ClearValues();
        Assert.Equal(SampleStatus.Ok, own.Sample(At(3)));
        Assert.Equal(1, own.Series.Values[0]);

        own.Series.ClearValues();
        Assert.Equal(SampleStatus.Stalled, own.Sample(At(5)));
        Assert.False(own.Series.IsPresent(0));
        Assert.Equal(2, own.SkippedCalls);
        inner.AwaitCall(2);

        inner.Release();
        inner.AwaitReturn(own);
        own.Series.ClearValues();
        Assert.Equal(SampleStatus.Ok, own.Sample(At(6)));
        Assert.Equal(2, own.Series.Values[0]);
        Assert.Equal(columns, own.Series.Version); // values a beat old are no new columns
        inner.Release();
    }

    [Fact]
    public void Sample_OfACallThatThrows_ThrowsThatToTheRunner()
    {
        using OwnBeatSampler own = new(new ScriptedSampler("scripted", _ => throw new IOException("gone")), Deadline, LongPatience);

        Assert.Equal("gone", Assert.Throws<IOException>(() => own.Sample(At(1))).Message);
    }

    [Fact]
    public void Sample_WhenColumnsChange_TakesThemOver()
    {
        GrowingSampler inner = new();
        using OwnBeatSampler own = new(inner, Deadline, LongPatience);
        own.Sample(At(1));
        Assert.Equal(1, own.Series.Count);
        own.Sample(At(2));

        Assert.Equal(2, own.Series.Count);
        Assert.Equal("node_cpu_seconds_total", own.Series.Definitions[1].Metric);
    }

    private static SampleTime At(long seconds) => new(seconds * 1_000, seconds * 1_000_000_000);

    private sealed class GrowingSampler : ISampler
    {
        public string Name => "growing";

        public SeriesTable Series { get; } = new();

        public SampleStatus Sample(in SampleTime now)
        {
            Series.Set(Series.Add(CpuMetrics.SecondsTotal), 1);
            return SampleStatus.Ok;
        }
    }

    /// <summary>Each call waits until it is let go.</summary>
    private sealed class GatedSampler : ISampler, IDisposable
    {
        private readonly SemaphoreSlim _gate = new(0);
        private int _calls;

        public GatedSampler() => Series.Add(CpuMetrics.Load1);

        public string Name => "gated";

        public SeriesTable Series { get; } = new();

        public SampleStatus Sample(in SampleTime now)
        {
            int call = Interlocked.Increment(ref _calls);
            _gate.Wait();
            Series.Set(0, call);
            return SampleStatus.Ok;
        }

        public void Release() => _gate.Release();

        /// <summary>Until the worker is in its n-th call; it must not be in a later one.</summary>
        public void AwaitCall(int number)
        {
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _calls) >= number, TimeSpan.FromSeconds(30)));
            Assert.Equal(number, Volatile.Read(ref _calls));
        }

        /// <summary>Until the worker has handed its result over.</summary>
        public void AwaitReturn(OwnBeatSampler own) => Assert.True(SpinWait.SpinUntil(() => !own.IsBusy, TimeSpan.FromSeconds(30)));

        public void Dispose() => _gate.Dispose();
    }
}
