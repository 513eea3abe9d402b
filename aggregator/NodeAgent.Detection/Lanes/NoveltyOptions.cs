namespace NodeAgent.Detection.Lanes;

/// <summary>
/// Everything the novelty lane can be told, in samples of the lane. The defaults were chosen on half of the NAB corpus
/// (docs/decisions/detection.md: how, how many were tried, what they score on series left out); nobody is expected to set them.
/// </summary>
public sealed record NoveltyOptions
{
    /// <summary>Samples before anything is new. Until then records only widen.</summary>
    public int WarmUp { get; init; } = 180;

    /// <summary>Samples after which a record has lost half of its distance to the mean, at least.</summary>
    public float HalfLife { get; init; } = 9200;

    /// <summary>The half-life as a share of the series' age, where that is longer: what happens once a month is new for a week-old series only.</summary>
    public float HalfLifeShare { get; init; } = 1.05f;

    /// <summary>Longest of the eight averaging spans, in samples; they are spaced geometrically.</summary>
    public float LongestSpan { get; init; } = 71;

    /// <summary>How much more the longest span counts than the shortest, as a logarithm.</summary>
    public float SpanTilt { get; init; } = 1.2f;

    /// <summary>Shortest span of the season residuals: one sample's residual is mostly noise.</summary>
    public float ShortestResidualSpan { get; init; } = 1.02f;

    /// <summary>Shortest span of the surprises.</summary>
    public float ShortestSurpriseSpan { get; init; } = 15.7f;

    /// <summary>Weight of the level.</summary>
    public float LevelWeight { get; init; } = 1;

    /// <summary>Weight of the distance from the time of day.</summary>
    public float DailyWeight { get; init; } = 0.29f;

    /// <summary>Weight of the distance from the time of the week.</summary>
    public float WeeklyWeight { get; init; } = 0.4f;

    /// <summary>Weight of steps never or rarely seen.</summary>
    public float StepWeight { get; init; } = 0.93f;

    /// <summary>Weight of values rare at this time of day.</summary>
    public float HourWeight { get; init; } = 0.5f;

    /// <summary>What a never-seen step or hour counts as, in occurrences.</summary>
    public float Smoothing { get; init; } = 3.4f;

    /// <summary>Samples in which the level an alarm set falls to a third; a lesser novelty in that time is the same story.</summary>
    public float Rest { get; init; } = 82;

    /// <summary>The rest as a share of the series' age, where that is longer.</summary>
    public float RestShare { get; init; } = 0.03f;

    /// <summary>How much of a daily bin the newest day replaces.</summary>
    public float DailyRate { get; init; } = 0.84f;

    /// <summary>How much of a weekly bin the newest week replaces.</summary>
    public float WeeklyRate { get; init; } = 0.29f;

    /// <summary>Samples of a residual before its records count; its first day is all news.</summary>
    public int ResidualWarmUp { get; init; } = 317;

    /// <summary>A range narrower than this share of the value's size is not a range: a constant that moves by a rounding error is no news.</summary>
    public float Floor { get; init; } = 1e-4f;
}
