namespace NodeAgent.Sampling.Scheduling;

/// <summary>What the tick loop knows about itself. Written and read on the tick's thread.</summary>
public sealed class TickStatistics
{
    /// <summary>Ticks that ran.</summary>
    public long Ticks { get; internal set; }

    /// <summary>Beats of single samplers that never ran, because the tick before them took too long or the process stood still.</summary>
    public long SkippedBeats { get; internal set; }

    /// <summary>How much later than its beat the current tick began.</summary>
    public TimeSpan Lateness { get; internal set; }

    /// <summary>The largest <see cref="Lateness"/> since the start.</summary>
    public TimeSpan MaxLateness { get; internal set; }

    /// <summary>Time the tick before took, from its begin until the sink returned.</summary>
    public TimeSpan LastDuration { get; internal set; }

    /// <summary>Ticks whose sink threw; a bug in the sink, which costs that tick but not the agent.</summary>
    public long SinkFailures { get; internal set; }

    /// <summary>Bytes of the managed heap that ticks took, without the one that runs.</summary>
    public long AllocatedBytes { get; internal set; }
}
