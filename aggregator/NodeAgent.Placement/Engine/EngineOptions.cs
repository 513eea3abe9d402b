using NodeAgent.Placement.Policies;

namespace NodeAgent.Placement.Engine;

/// <summary>How an engine decides. Immutable; the same options, the same calls, the same answers.</summary>
public sealed record EngineOptions
{
    /// <summary>Policy of requests that name none.</summary>
    public PolicyName Policy { get; init; } = PolicyName.Auto;

    /// <summary>How long a place is held for its commit: longer than a round trip and an approval by a script, shorter than anyone waits.</summary>
    public TimeSpan TokenLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most GPU thousandths a tenant may hold; absent: no limit.</summary>
    public IReadOnlyDictionary<string, long> QuotaGpuMilli { get; init; } = new Dictionary<string, long>();

    /// <summary>Money for a GPU-hour: turns opportunity cost into a reserve price for bids.</summary>
    public double MoneyPerGpuHour { get; init; } = 2;

    /// <summary>Futures per node value; see <see cref="PolicyFactory.Futures"/>.</summary>
    public int Futures { get; init; } = PolicyFactory.Futures;

    /// <summary>
    /// Number of the first job. An engine that takes over from another goes on where that one was, so that no token is given twice.
    /// </summary>
    public long FirstJob { get; init; } = 1;

    /// <summary>Profiles of MIG requests by share, in the order of <see cref="Mig.MigProfile.All"/>.</summary>
    public IReadOnlyList<double> MigShares { get; init; } = [0.3, 0.1, 0.2, 0.2, 0.1, 0.1];
}
