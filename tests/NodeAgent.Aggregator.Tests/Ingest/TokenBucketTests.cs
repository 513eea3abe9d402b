using NodeAgent.Aggregator.Ingest;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class TokenBucketTests
{
    [Fact]
    public void TryPay_WithinTheRate_NeverOwes()
    {
        TokenBucket bucket = new(10, 20);
        for (int i = 0; i < 1_000; i++)
        {
            Assert.True(bucket.TryPay(1, i * 100));
        }
    }

    [Fact]
    public void TryPay_Flood_UsesTheReserveThenOwesAndIsAtLastExhausted()
    {
        TokenBucket bucket = new(10, 20);
        int within = 0;
        while (bucket.TryPay(1, 5))
        {
            within++;
        }

        Assert.Equal((20, 100L, false), (within, bucket.WaitMs, bucket.IsExhausted));
        for (int i = 0; i < 20; i++)
        {
            bucket.TryPay(1, 5);
        }

        Assert.Equal((2_100L, true), (bucket.WaitMs, bucket.IsExhausted));
        Assert.True(bucket.TryPay(1, 5 + 2_200));
    }

    [Fact]
    public void TryPay_ClockThatGoesBack_TakesNothing()
    {
        TokenBucket bucket = new(10, 20);
        Assert.True(bucket.TryPay(20, 1_000));
        Assert.True(bucket.TryPay(0, 0));
        Assert.False(bucket.TryPay(1, 0));
    }
}
