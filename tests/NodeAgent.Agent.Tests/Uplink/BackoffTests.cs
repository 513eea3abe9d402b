using NodeAgent.Agent.Uplink;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class BackoffTests
{
    [Fact]
    public void NextDelay_EachFailure_StaysWithinADoublingBoundAndFillsIt()
    {
        const int Agents = 2_000;
        double[] largest = new double[12];
        double[] sums = new double[12];
        for (int seed = 0; seed < Agents; seed++)
        {
            Backoff backoff = new(new Random(seed));
            for (int failure = 0; failure < largest.Length; failure++)
            {
                double bound = BoundMs(failure);
                double delay = backoff.NextDelay().TotalMilliseconds;
                Assert.InRange(delay, 0, bound);
                largest[failure] = Math.Max(largest[failure], delay / bound);
                sums[failure] += delay / bound;
            }

            Assert.Equal(largest.Length, backoff.Failures);
        }

        // Full jitter is uniform: mean one half (standard error 0.0065 here), and some agent close to each end.
        Assert.All(sums, sum => Assert.InRange(sum / Agents, 0.47, 0.53));
        Assert.All(largest, most => Assert.InRange(most, 0.99, 1));
    }

    [Fact]
    public void NextDelay_AfterYearsOfFailures_IsStillCapped()
    {
        Backoff backoff = new(new Half());
        for (int i = 0; i < 100_000; i++)
        {
            Assert.InRange(backoff.NextDelay(), TimeSpan.Zero, Backoff.Longest);
        }

        Assert.Equal(Backoff.Longest / 2, backoff.NextDelay());
    }

    [Fact]
    public void Succeeded_AfterFailures_StartsAnew()
    {
        Backoff backoff = new(new Half());
        backoff.NextDelay();
        backoff.NextDelay();
        backoff.Succeeded();
        Assert.Equal(0, backoff.Failures);
        Assert.Equal(Backoff.First / 2, backoff.NextDelay());
        Assert.Equal(Backoff.First, backoff.NextDelay());
    }

    private static double BoundMs(int failure) => Math.Min(120_000, 1_000 * Math.Pow(2, failure));
}
