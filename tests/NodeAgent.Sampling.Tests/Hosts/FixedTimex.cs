using NodeAgent.Sampling.Clock;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>A kernel clock that says what the test wants.</summary>
internal sealed class FixedTimex(TimexReading reading, int state) : ITimexSource
{
    /// <summary>As chrony leaves it: nanoseconds, synchronised, steered by 12.5 ppm.</summary>
    public static FixedTimex Synchronised { get; } = new(
        new TimexReading
        {
            Status = TimexReading.StatusNanoseconds | 1,
            Offset = -1_234,
            Frequency = 819_200,
            MaxErrorMicroseconds = 1_500,
            EstimatedErrorMicroseconds = 12,
            TimeConstant = 7,
            TickMicroseconds = 10_000,
            TaiSeconds = 37,
        },
        state: 0);

    public bool TryRead(out TimexReading result, out int resultState)
    {
        result = reading;
        resultState = state;
        return state >= 0;
    }
}
