using NodeAgent.Contracts.Series;

namespace NodeAgent.Sampling.Scheduling;

/// <summary>Takes finished ticks: the uplink encodes each table as one block, under one schema per sampler.</summary>
public interface ITickSink
{
    /// <summary>
    /// Called on the tick's thread after all due samplers ran. The tables belong to the samplers and change at the next tick:
    /// encode or copy them before returning. Must not block and must not throw; what it cannot take it drops and counts.
    /// </summary>
    /// <param name="now">The moment of the tick.</param>
    /// <param name="tables">The samplers that were due, in the order they ran. Never empty.</param>
    void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables);
}

/// <summary>What one sampler had at one tick.</summary>
/// <param name="Sampler">The sampler's name; unique within an agent.</param>
/// <param name="Series">Its columns and values. A new <see cref="SeriesTable.Version"/> means other columns.</param>
/// <param name="Interval">Declared distance of two ticks of this sampler.</param>
/// <param name="Status">What became of the call. Columns without a value have no sample, whatever the status.</param>
public readonly record struct SampledTable(string Sampler, SeriesTable Series, TimeSpan Interval, SampleStatus Status);
