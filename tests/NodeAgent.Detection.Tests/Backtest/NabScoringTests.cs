using NodeAgent.Detection.Backtest;

namespace NodeAgent.Detection.Tests.Backtest;

public sealed class NabScoringTests
{
    private static readonly NabProfile Standard = NabProfile.All[0];

    [Fact]
    public void At_AlarmOnTheFirstRowOfTheWindow_ScoresAHundred()
    {
        Assert.Equal(100, NabScoring.At([Run(300)], Standard, 0.5).Score, 6);
    }

    [Fact]
    public void At_NoAlarm_ScoresZeroAndFindsNothing()
    {
        NabOutcome outcome = NabScoring.At([Run()], Standard, 0.5);

        Assert.Equal((0.0, 0, 0), (outcome.Score, outcome.WindowsFound, outcome.FalseAlarms));
    }

    [Fact]
    public void At_FalseAlarmBeforeAnyWindow_CostsTheProfilesFullWeight()
    {
        // One window: a miss is 0, a hit 100, so a unit of raw score is 50 points in standard and a false alarm costs 0.11 of it.
        Assert.Equal(100 - (50 * 0.11), NabScoring.At([Run(200, 300)], Standard, 0.5).Score, 6);
        Assert.Equal(100 - (50 * 0.22), NabScoring.At([Run(200, 300)], NabProfile.All[1], 0.5).Score, 6);
    }

    [Fact]
    public void At_FalseAlarmRightBehindAWindow_CostsLessThanOneFarAway()
    {
        double near = NabScoring.At([Run(300, 402)], Standard, 0.5).Score;
        double far = NabScoring.At([Run(300, 900)], Standard, 0.5).Score;

        Assert.True(near > far, $"{near} {far}");
        Assert.Equal(100 - (50 * 0.11), far, 6);
    }

    [Fact]
    public void At_AlarmInProbation_IsNeitherRightNorWrong()
    {
        Assert.Equal(100, NabScoring.At([Run(10, 300)], Standard, 0.5).Score, 6);
    }

    [Fact]
    public void At_SecondAlarmInAWindow_ChangesNothing()
    {
        Assert.Equal(NabScoring.At([Run(320)], Standard, 0.5).Score, NabScoring.At([Run(320, 330, 390)], Standard, 0.5).Score, 9);
    }

    [Fact]
    public void Sweep_EveryThreshold_AgreesWithAt()
    {
        NabFile file = File();
        float[] scores = new float[1000];
        for (int row = 0; row < scores.Length; row += 7)
        {
            scores[row] = (row * 37 % 101) / 100f;
        }

        NabRun[] runs = [new NabRun(file, scores)];
        foreach (NabProfile profile in NabProfile.All)
        {
            foreach (NabOutcome swept in NabScoring.Sweep(runs, profile))
            {
                NabOutcome at = NabScoring.At(runs, profile, swept.Threshold);

                Assert.Equal(at.Score, swept.Score, 6);
                Assert.Equal((at.WindowsFound, at.FalseAlarms), (swept.WindowsFound, swept.FalseAlarms));
            }
        }
    }

    private static NabRun Run(params int[] alarms)
    {
        float[] scores = new float[1000];
        foreach (int row in alarms)
        {
            scores[row] = 1;
        }

        return new NabRun(File(), scores);
    }

    private static NabFile File() => new("made", [.. Enumerable.Range(0, 1000).Select(row => row * 300_000L)], new double[1000], [(300, 399)]);
}
