using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// How long an agent's stream lasts: about an hour, and never beyond its certificate. An identity is proved when a connection begins; a
/// stream that never ended would never prove it again. Agents renew when they come back.
/// </summary>
/// <param name="usual">About so long.</param>
/// <param name="time">The clock.</param>
/// <param name="random">So that agents which came at once do not come back at once.</param>
internal sealed class StreamLife(TimeSpan usual, TimeProvider time, Random random)
{
    private const double Spread = 0.1;

    private readonly Lock _lock = new();

    /// <summary>Cancelled when the time is over; to be disposed with the stream.</summary>
    internal CancellationTokenSource Begin(CallerIdentity caller) => new(Of(caller), time);

    /// <summary>From now on.</summary>
    internal TimeSpan Of(CallerIdentity caller)
    {
        double factor;
        lock (_lock)
        {
#pragma warning disable CA5394 // Not for secrets.
            factor = 1 - Spread + (2 * Spread * random.NextDouble());
#pragma warning restore CA5394
        }

        TimeSpan life = usual * factor;
        TimeSpan left = (caller.Certificate?.NotAfter ?? DateTimeOffset.MaxValue) - time.GetUtcNow();
        return left > life ? life : left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
