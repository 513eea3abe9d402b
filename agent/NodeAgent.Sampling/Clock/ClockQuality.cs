using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Clock;

/// <summary>How far the agent trusts its wall clock. Numbers are those of <c>nodeagent.v1.ClockQuality</c>.</summary>
public enum ClockQuality
{
    /// <summary>Could not be told.</summary>
    Unknown = 0,

    /// <summary>The kernel says the clock is disciplined.</summary>
    Synchronised = 1,

    /// <summary>Nobody disciplines it.</summary>
    Unsynchronised = 2,

    /// <summary>The wall clock moved against the monotonic clock since the last tick by more than a second.</summary>
    Stepped = 3,
}

/// <summary>Judges the clock once a tick, for the frame. One call costs one system call and allocates nothing.</summary>
public sealed class ClockQualityTracker
{
    // Steered clocks move by at most 500 ppm (adjtimex(2)), 30 ms in the longest interval; a second is a step.
    private const long StepMs = 1000;

    private readonly ITimexSource _source;
    private long _lastWallMinusMonotonicMs;
    private bool _hasLast;

    public ClockQualityTracker()
        : this(OperatingSystem.IsWindows() ? new Windows.NoTimex() : new KernelTimex())
    {
    }

    internal ClockQualityTracker(ITimexSource source) => _source = source;

    /// <summary>Steps seen since the start.</summary>
    public long Steps { get; private set; }

    /// <summary>Size of the last step in milliseconds, positive: forward. 0: none yet.</summary>
    public long LastStepMs { get; private set; }

    public ClockQuality Observe(in SampleTime now)
    {
        long difference = now.WallUnixMs - (now.MonotonicNs / 1_000_000);
        long moved = _hasLast ? difference - _lastWallMinusMonotonicMs : 0;
        _lastWallMinusMonotonicMs = difference;
        _hasLast = true;
        if (Math.Abs(moved) > StepMs)
        {
            Steps++;
            LastStepMs = moved;
            return ClockQuality.Stepped;
        }

        if (!_source.TryRead(out TimexReading reading, out int state))
        {
            return ClockQuality.Unknown;
        }

        bool isSynchronised = state != TimexReading.StateError && (reading.Status & TimexReading.StatusUnsynchronised) == 0;
        return isSynchronised ? ClockQuality.Synchronised : ClockQuality.Unsynchronised;
    }
}
