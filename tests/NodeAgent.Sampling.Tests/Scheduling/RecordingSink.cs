using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Scheduling;

/// <summary>Keeps the names and statuses of each tick.</summary>
internal sealed class RecordingSink(Action? onTick = null) : ITickSink
{
    public List<(SampleTime Now, string[] Samplers, SampleStatus[] Statuses)> Ticks { get; } = [];

    public void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables)
    {
        Ticks.Add((now, [.. tables.ToArray().Select(table => table.Sampler)], [.. tables.ToArray().Select(table => table.Status)]));
        onTick?.Invoke();
    }
}
