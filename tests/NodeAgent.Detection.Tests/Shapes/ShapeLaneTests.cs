using NodeAgent.Detection.Shapes;

namespace NodeAgent.Detection.Tests.Shapes;

public sealed class ShapeLaneTests
{
    [Fact]
    public void Update_SensorThatStopsMoving_IsAFlatLineWithinASensibleTime()
    {
        var lane = new ShapeLane(1);
        for (int at = 0; at < 1000; at++)
        {
            Assert.True(lane.Update(0, 60 + Wobble(at)).FlatLine < 8, $"at {at}");
        }

        int after = 0;
        while (lane.Update(0, 63).FlatLine < 8 && after < 1000)
        {
            after++;
        }

        Assert.InRange(after, 4, 60);
    }

    [Fact]
    public void Update_SeriesThatRarelyMoves_MayStandStill()
    {
        var lane = new ShapeLane(1);
        float most = 0;
        for (int at = 0; at < 5000; at++)
        {
            most = Math.Max(most, lane.Update(0, at / 500).FlatLine);
        }

        Assert.Equal(0, most);
    }

    [Fact]
    public void Update_SteadyGrowthBeyondEverything_IsALeakAndAWaveIsNot()
    {
        var lane = new ShapeLane(2);
        float wave = 0, leak = 0;
        for (int at = 0; at < 6000; at++)
        {
            float value = 100 + (10 * MathF.Sin(at / 150f)) + (Wobble(at) * 0.3f);
            wave = Math.Max(wave, lane.Update(0, value).Leak);
            leak = Math.Max(leak, lane.Update(1, value + (at > 3000 ? (at - 3000) * 0.2f : 0)).Leak);
        }

        Assert.True(wave < 6, $"{wave}");
        Assert.True(leak > 11, $"{leak}");
    }

    [Fact]
    public void Update_NoiseThreefold_IsAChangeOfVariance()
    {
        var lane = new ShapeLane(1);
        float before = 0, after = 0;
        for (int at = 0; at < 4000; at++)
        {
            float variance = lane.Update(0, 50 + (Wobble(at) * (at < 3000 ? 1 : 6))).Variance;
            before = at is > 1000 and < 3000 ? Math.Max(before, variance) : before;
            after = at >= 3000 ? Math.Max(after, variance) : after;
        }

        Assert.True(after > before + 3, $"{before} {after}");
    }

    [Fact]
    public void Update_ValuesMoveElsewhere_IsAShift()
    {
        var lane = new ShapeLane(1);
        float before = 0, after = 0;
        for (int at = 0; at < 4000; at++)
        {
            float shift = lane.Update(0, 50 + Wobble(at) + (at < 3000 ? 0 : 8)).Shift;
            before = at < 3000 ? Math.Max(before, shift) : before;
            after = at >= 3000 ? Math.Max(after, shift) : after;
        }

        Assert.True(after > before + 3, $"{before} {after}");
    }

    private static float Wobble(int at) => ((at * 7919) % 101 / 20f) - 2.5f;
}
