namespace NodeAgent.Detection.Peers;

/// <summary>How sure a peer group must be; in samples of one second unless its metric is sampled otherwise.</summary>
public sealed record PeerOptions
{
    /// <summary>1: higher than its peers is bad (time, temperature); -1: lower is (throughput).</summary>
    public int Direction { get; init; } = -1;

    /// <summary>Averaging of each member's difference; two training iterations at least.</summary>
    public double SmoothRate { get; init; } = 0.1;

    /// <summary>Samples in which usual differences are learned and nobody is accused.</summary>
    public int WarmUp { get; init; } = 180;

    /// <summary>In robust deviations of the group's differences.</summary>
    public double Threshold { get; init; } = 7;

    /// <summary>What the cumulative sum forgives each sample, in the same unit.</summary>
    public double Drift { get; init; } = 3.5;

    /// <summary>The least share of the group's level that is worth anybody's time.</summary>
    public double LeastShare { get; init; } = 0.02;

    /// <summary>Below this share of its usual level the whole group is taken to pause.</summary>
    public double PauseBelow { get; init; } = 0.5;

    /// <summary>Samples it must hold.</summary>
    public int Persistence { get; init; } = 10;

    /// <summary>How fast the usual difference follows.</summary>
    public double UsualRate { get; init; } = 0.0005;

    /// <summary>How fast the group's noise follows.</summary>
    public double NoiseRate { get; init; } = 0.01;

    /// <summary>Noise below this share of the level is taken as this share: identical readings are not infinite precision.</summary>
    public double LeastNoise { get; init; } = 0.0005;
}
