using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Live;

/// <summary>Where a live stream of samples comes from.</summary>
public interface ILiveSource
{
    /// <summary>
    /// Starts handing over every row stored from now on to a bounded buffer, for the series that match, including series that
    /// are registered later. Dispose the subscription to end it.
    /// </summary>
    LiveSubscription Subscribe(Selector selector, LiveOptions options);
}

/// <summary>Bounds of one subscription.</summary>
public sealed record LiveOptions
{
    /// <summary>Samples that wait for the reader; when full, the oldest is dropped and counted. Default 65,536 (1.5 MiB).</summary>
    public int Capacity { get; init; } = 65_536;

    /// <summary>At most one sample a series in this many milliseconds of sample time. 0: every sample.</summary>
    public int MinIntervalMs { get; init; }
}

/// <summary>One sample on its way to a subscriber.</summary>
/// <param name="Index">
/// Of the series within this subscription: 0, 1, 2, ... in the order in which series joined. Stable, never reused.
/// </param>
/// <param name="Series">The series.</param>
/// <param name="UnixMs">Time by the agent's clock.</param>
/// <param name="Value">Value.</param>
public readonly record struct LiveSample(int Index, SeriesInfo Series, long UnixMs, double Value);
