using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// When to look again whether devices came or went. Listing a folder of sysfs is the dearest thing a sampler without devices does, and what is
/// plugged in by hand can wait some seconds; a device that has gone is noticed by its attributes, at once.
/// </summary>
internal sealed class DeviceLook
{
    // A little less than the beat of 10 s that most of these samplers have, so that each of their calls looks.
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(9.5);

    private long _nextNs = long.MinValue;

    /// <summary>True at the first call, and then once an interval.</summary>
    public bool IsDue(in SampleTime now)
    {
        if (now.MonotonicNs < _nextNs)
        {
            return false;
        }

        _nextNs = now.MonotonicNs + (long)Interval.TotalNanoseconds;
        return true;
    }
}
