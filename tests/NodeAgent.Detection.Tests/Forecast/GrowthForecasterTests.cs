using NodeAgent.Detection.Forecast;

namespace NodeAgent.Detection.Tests.Forecast;

public sealed class GrowthForecasterTests
{
    private const long Minutes10 = 600_000;

    [Fact]
    public void Cross_SteadyGrowthUnderADailyWave_IsForeseenWithinItsBounds()
    {
        var forecaster = new GrowthForecaster();
        for (int at = 0; at < 5 * 144; at++)
        {
            forecaster.Add(At(at), at * Minutes10);
        }

        // 0.05 a day from 0.3: the mean reaches 0.8 after ten days, its waves some hours before.
        Crossing crossing = forecaster.Cross(0.8)!.Value;

        Assert.InRange(crossing.PerDay, 0.047, 0.053);
        Assert.InRange(TimeSpan.FromMilliseconds(crossing.InMs).TotalDays, 3.5, 6);
        Assert.True(crossing.FromMs <= crossing.InMs && crossing.InMs <= crossing.ToMs);
    }

    [Fact]
    public void Cross_SawToothThatComesBackDaily_NeverWarnsWithinMonths()
    {
        var forecaster = new GrowthForecaster();
        ulong state = 5;
        for (int at = 0; at < 10 * 144; at++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            forecaster.Add(0.5 + (0.45 * (at % 144) / 144.0) + (0.02 * (state >> 40) / (1 << 24)), at * Minutes10);
            Assert.True(forecaster.Cross(1) is not { } crossing || crossing.InMs > 60 * 86_400_000.0, $"at {at}");
        }
    }

    [Fact]
    public void Cross_AlreadyBeyond_IsNow()
    {
        var forecaster = new GrowthForecaster();
        for (int at = 0; at < 100; at++)
        {
            forecaster.Add(at < 50 ? 0.5 : 1.2, at * Minutes10);
        }

        Assert.Equal(0, forecaster.Cross(1)?.InMs);
    }

    [Fact]
    public void Cross_TooLittleKnown_SaysNothing()
    {
        var forecaster = new GrowthForecaster();
        for (int at = 0; at < 144; at++)
        {
            forecaster.Add(at * 0.01, at * Minutes10);
        }

        Assert.Null(forecaster.Cross(100));
        Assert.Null(forecaster.After(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void After_HalfADay_FollowsTheWaveWhereThePresentWouldMislead()
    {
        var forecaster = new GrowthForecaster();
        const int Now = (5 * 144) + 36; // at the crest
        for (int at = 0; at <= Now; at++)
        {
            forecaster.Add(At(at), at * Minutes10);
        }

        Forecasted ahead = forecaster.After(TimeSpan.FromHours(12))!.Value;

        double truth = At(Now + 72);
        Assert.InRange(ahead.Value, truth - 0.03, truth + 0.03);
        Assert.True(Math.Abs(ahead.Value - truth) < Math.Abs(At(Now) - truth) / 3);
        Assert.True(ahead.Low < ahead.Value && ahead.Value < ahead.High);
    }

    [Fact]
    public void Add_GapOfDays_DoesNotPairUnlikeHours()
    {
        var forecaster = new GrowthForecaster();
        for (int at = 0; at < 3 * 144; at++)
        {
            forecaster.Add(At(at), at * Minutes10);
        }

        forecaster.Add(At(6 * 144), 6 * 144 * Minutes10);

        Assert.InRange(forecaster.Cross(100)?.PerDay ?? 0.05, 0.03, 0.07);
    }

    [Fact]
    public void Hazard_WithoutHistory_IsThePriorAndGrowsWithASignThatFades()
    {
        const long Day = 86_400_000;
        var hazard = new Hazard();
        double healthy = hazard.Of("g1", Day);
        hazard.Note("g1", Precursor.HardwareXid, Day);
        double after = hazard.Of("g1", Day);
        double later = hazard.Of("g1", 6 * Day);

        Assert.InRange(healthy, 1e-4, 1e-3);
        Assert.True(after > 10 * healthy, $"{healthy} {after}");
        Assert.True(later < after / 5, $"{after} {later}");
    }

    [Fact]
    public void Hazard_FleetWhereASignMeansNothing_LearnsThat()
    {
        const long Day = 86_400_000;
        var hazard = new Hazard();
        hazard.Note("g", Precursor.HardwareXid, Day);
        double before = hazard.Of("g", Day);
        for (int day = 1; day < 200; day++)
        {
            hazard.DayPassed(1000);
            for (int gpu = 0; gpu < 20; gpu++)
            {
                hazard.Note($"h{day}-{gpu}", Precursor.HardwareXid, day * Day);
            }
        }

        hazard.Note("g2", Precursor.HardwareXid, 300 * Day);
        Assert.True(hazard.Of("g2", 300 * Day) < before / 5);
    }

    private static double At(int at) => 0.3 + (0.05 * at / 144.0) + (0.06 * Math.Sin(at * 2 * Math.PI / 144)) + (0.001 * (at * 37 % 11));
}
