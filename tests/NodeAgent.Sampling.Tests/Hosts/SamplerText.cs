using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>What a sampler said, for tests to look into.</summary>
internal static class SamplerText
{
    public static SampleTime Now { get; } = new(WallUnixMs: 1_767_225_600_123, MonotonicNs: 3_600_000_000_000);

    /// <summary>Runs it as the runner does: values of the tick before are forgotten first.</summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="later">So long after <see cref="Now"/>.</param>
    public static SampleStatus Run(ISampler sampler, TimeSpan later = default)
    {
        sampler.Series.ClearValues();
        return sampler.Sample(new SampleTime(Now.WallUnixMs + (long)later.TotalMilliseconds, Now.MonotonicNs + (long)later.TotalNanoseconds));
    }

    /// <summary>The value of a series in this tick, or null.</summary>
    public static double? Value(ISampler sampler, string series)
    {
        for (int i = 0; i < sampler.Series.Count; i++)
        {
            if (sampler.Series.Definitions[i].ToString() == series)
            {
                return sampler.Series.IsPresent(i) ? sampler.Series.Values[i] : null;
            }
        }

        return null;
    }

    /// <summary>Present series and their values.</summary>
    public static SortedDictionary<string, double> Values(ISampler sampler)
    {
        SortedDictionary<string, double> values = new(StringComparer.Ordinal);
        for (int i = 0; i < sampler.Series.Count; i++)
        {
            if (sampler.Series.IsPresent(i))
            {
                values.Add(sampler.Series.Definitions[i].ToString(), sampler.Series.Values[i]);
            }
        }

        return values;
    }
}
