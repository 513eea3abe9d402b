namespace NodeAgent.Detection.Lanes;

/// <summary>What the residual lane can be told, in samples of the lane. A compromise of ASD and SMD (docs/decisions/detection.md).</summary>
public sealed record ResidualOptions
{
    /// <summary>How much of a sample the level takes in. Slow: a level that follows a fault calls it normal.</summary>
    public float LevelRate { get; init; } = 0.0001f;

    /// <summary>How much of a deviation the scales take in.</summary>
    public float ScaleRate { get; init; } = 0.0001f;

    /// <summary>How fast today's offset from the daily profile is learned.</summary>
    public float OffsetRate { get; init; } = 0.2f;

    /// <summary>How much of an hour of the usual day the newest day replaces: days are remembered, an odd one is not repeated.</summary>
    public float DailyRate { get; init; } = 0.25f;

    /// <summary>How fast the two forecasts' errors are learned.</summary>
    public float ErrorRate { get; init; } = 0.001f;

    /// <summary>The profile must be this much better than the level to be used; a profile follows noise as well.</summary>
    public float ProfileAdvantage { get; init; } = 0.7f;

    /// <summary>Deviations are taken in up to this many scales, so that a fault cannot teach.</summary>
    public float Winsor { get; init; } = 3;

    /// <summary>Samples averaged for the slower of the two views.</summary>
    public float SlowSpan { get; init; } = 5;

    /// <summary>Narrowest scale, as a share of the range seen.</summary>
    public float Floor { get; init; } = 0.003f;

    /// <summary>Beyond this many scales nothing more is said.</summary>
    public float Cap { get; init; } = 25;

    /// <summary>Samples before anything is judged.</summary>
    public int WarmUp { get; init; } = 20;
}
