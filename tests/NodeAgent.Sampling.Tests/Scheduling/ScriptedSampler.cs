using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

/// <summary>Does what the test says at each call and sets its one column to the number of calls.</summary>
internal sealed class ScriptedSampler : ISampler
{
    private readonly Func<int, SampleStatus> _script;

    public ScriptedSampler(string name = "scripted", Func<int, SampleStatus>? script = null)
    {
        Name = name;
        _script = script ?? (_ => SampleStatus.Ok);
        Series.Add(CpuMetrics.Load1);
    }

    public string Name { get; }

    public SeriesTable Series { get; } = new();

    public List<SampleTime> Calls { get; } = [];

    public SampleStatus Sample(in SampleTime now)
    {
        Calls.Add(now);
        Series.Set(0, Calls.Count);
        return _script(Calls.Count);
    }
}
