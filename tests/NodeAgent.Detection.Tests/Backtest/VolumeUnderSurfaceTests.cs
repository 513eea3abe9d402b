using NodeAgent.Detection.Backtest;

namespace NodeAgent.Detection.Tests.Backtest;

public sealed class VolumeUnderSurfaceTests
{
    [Fact]
    public void PrecisionRecall_ScoresThatAreTheLabels_IsNearOneAndFarAboveNoise()
    {
        (bool[] labels, float[] perfect) = Labelled();
        float[] noise = [.. Enumerable.Range(0, labels.Length).Select(row => (row * 7919 % 1009) / 1009f)];

        // With borders the labels reach beyond what a score of the bare labels can find, so even that is not 1.
        Assert.InRange(VolumeUnderSurface.PrecisionRecall(labels, perfect, 5), 0.9, 1);
        Assert.InRange(VolumeUnderSurface.PrecisionRecall(labels, noise, 5), 0, 0.25);
    }

    [Fact]
    public void PrecisionRecall_AlarmAFewRowsEarly_LosesLessThanAveragePrecisionDoes()
    {
        (bool[] labels, float[] perfect) = Labelled();
        float[] early = [.. perfect[4..], 0, 0, 0, 0];

        double surface = VolumeUnderSurface.PrecisionRecall(labels, perfect, 20) - VolumeUnderSurface.PrecisionRecall(labels, early, 20);
        double area = VolumeUnderSurface.AveragePrecision(labels, perfect) - VolumeUnderSurface.AveragePrecision(labels, early);

        Assert.True(surface < area, $"{surface} {area}");
    }

    [Fact]
    public void PrecisionRecall_NoBorders_IsTheAreaOverThresholdsTimesExistence()
    {
        bool[] labels = [false, true, true, false, false, false];
        float[] scores = [0, 1, 1, 0, 0, 0];

        Assert.Equal(1, VolumeUnderSurface.PrecisionRecall(labels, scores, 0), 6);
        Assert.Equal(1, VolumeUnderSurface.AveragePrecision(labels, scores), 6);
    }

    [Fact]
    public void AveragePrecision_ConstantScore_IsTheShareOfLabels()
    {
        (bool[] labels, _) = Labelled();

        Assert.Equal(labels.Count(label => label) / (double)labels.Length, VolumeUnderSurface.AveragePrecision(labels, new float[labels.Length]), 6);
    }

    [Fact]
    public void PeriodOf_Wave_IsItsLength()
    {
        double[] wave = [.. Enumerable.Range(0, 4000).Select(row => Math.Sin(row * 2 * Math.PI / 48))];

        Assert.Equal(48, VolumeUnderSurface.PeriodOf(wave));
    }

    [Fact]
    public void EventScore_ThresholdBelowEverything_FindsNothing()
    {
        (bool[] labels, float[] perfect) = Labelled();

        EventScore on = EventScore.Of(labels, perfect, -1, 10, 10);
        EventScore right = EventScore.Of(labels, perfect, 0.5f, 10, 10);

        Assert.Equal((0, 1), (on.Found, on.FalseRuns));
        Assert.Equal((right.Events, 0, 0.0, 1.0), (right.Found, right.FalseRuns, right.DelayRows, right.F1));
    }

    private static (bool[] Labels, float[] Scores) Labelled()
    {
        bool[] labels = new bool[2000];
        foreach ((int first, int count) in new[] { (300, 40), (900, 60), (1500, 20) })
        {
            Array.Fill(labels, true, first, count);
        }

        return (labels, [.. labels.Select(label => label ? 1f : 0f)]);
    }
}
