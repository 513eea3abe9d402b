namespace NodeAgent.Agent.Uplink;

/// <summary>
/// Full jitter: a random wait between nothing and a bound that doubles with each failure. Ten thousand agents that lost their
/// aggregator in the same second come back spread out, and stay so (gRPC's own ±20 % keeps them together).
/// </summary>
internal sealed class Backoff(Random random)
{
    /// <summary>The first retry comes within this.</summary>
    internal static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>No wait is longer; gRPC's connection-backoff document has the same cap.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(120);

    private int _failures;

    /// <summary>Failures since the last success.</summary>
    internal int Failures => _failures;

    internal void Succeeded() => _failures = 0;

    /// <summary>How long to wait after one more failure.</summary>
    internal TimeSpan NextDelay()
    {
        double bound = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 16)));
        _failures++;
        return TimeSpan.FromMilliseconds(random.NextDouble() * bound);
    }
}
