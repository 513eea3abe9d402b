namespace NodeAgent.Detection.Watch;

/// <summary>What people may set of the always-on detection.</summary>
public sealed record WatchOptions
{
    /// <summary>
    /// The one knob: how often a healthy series may cry wolf a day. It sets how rare a residual must be by the series' own past; three in a
    /// row are asked for besides, so the true rate is lower.
    /// </summary>
    public double AlarmsPerSeriesDay { get; init; } = 0.01;

    /// <summary>
    /// The least novelty that is a finding. NAB's threshold (0.02) suits samples every five minutes; at 1 Hz it would speak every half hour.
    /// </summary>
    public float NoveltyThreshold { get; init; } = 0.5f;

    /// <summary>Time between samples of a series.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Samples of a series before its lanes may speak; they learn from the first one. An hour at 1 Hz by default would cost benchmarks their
    /// first hour, so the default is none and the aggregator sets it (<c>detection.learn_for</c>).
    /// </summary>
    public int LearnFor { get; init; }

    /// <summary>A flat line, leak or shift less unlikely than this, as minus log10, is not said. Two per million series and day at one shape a second.</summary>
    public float ShapeSurprise { get; init; } = 11;
}
