using NodeAgent.Detection.Lanes;

namespace NodeAgent.Detection.Tests.Lanes;

public sealed class NodeScoreTests
{
    [Fact]
    public void Update_OneMetricFarOff_IsNotDilutedByThirtyQuietOnes()
    {
        float[] scores = new float[32];
        scores[7] = 20;
        scores[3] = 2;
        int[] leading = new int[3];

        float score = new NodeScore(0).Update(scores, leading);

        Assert.True(score > 8, $"{score}"); // a plain mean would say 0.7
        Assert.Equal([7, 3], leading[..2]);
    }

    [Fact]
    public void Update_AfterThePeak_FallsSlowly()
    {
        var node = new NodeScore(100);
        float peak = node.Update([10f, 10f], []);
        float soon = node.Update([0f, 0f], []);
        for (int at = 0; at < 200; at++)
        {
            node.Update([0f, 0f], []);
        }

        Assert.InRange(soon / peak, 0.98f, 1f);
        Assert.InRange(node.Update([0f, 0f], []) / peak, 0.05f, 0.2f);
    }

    [Fact]
    public void OnceIn_ScoresOfAKnownTail_AreAsRareAsTheySay()
    {
        var tails = new TailColumns(1);
        ulong state = 99;
        int said = 0;
        for (int at = 1; at <= 400_000; at++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            float score = (float)-Math.Log(1 - ((state >> 11) * (1.0 / (1UL << 53))));
            said += tails.OnceIn(0, score, at) >= 1000 && at > 20_000 ? 1 : 0;
        }

        // Once in a thousand, 380,000 times.
        Assert.InRange(said, 150, 900);
    }

    [Fact]
    public void OnceIn_AfterAnHourOnly_DoesNotClaimAYear()
    {
        var tails = new TailColumns(1);
        for (int at = 1; at < 3600; at++)
        {
            tails.OnceIn(0, at % 10 / 10f, at);
        }

        Assert.InRange(tails.OnceIn(0, 1e6f, 3600), 1000, 360_000);
    }
}
