namespace NodeAgent.Detection.Backtest;

/// <summary>What an operator sees of a detector at one threshold.</summary>
/// <param name="Events">Labelled events.</param>
/// <param name="Found">Events alarmed no later than the limit.</param>
/// <param name="FalseRuns">Runs of alarms that touch no event.</param>
/// <param name="DelayRows">Mean rows from the event's first row to its alarm, of those found.</param>
public readonly record struct EventScore(int Events, int Found, int FalseRuns, double DelayRows)
{
    /// <summary>Alarms that were right, among alarms.</summary>
    public double Precision => Found + FalseRuns == 0 ? 0 : (double)Found / (Found + FalseRuns);

    /// <summary>Events that were found, among events.</summary>
    public double Recall => Events == 0 ? 0 : (double)Found / Events;

    /// <summary>Their harmonic mean.</summary>
    public double F1 => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);

    /// <summary>Several series' scores as one.</summary>
    public static EventScore Sum(IEnumerable<EventScore> scores)
    {
        EventScore sum = default;
        foreach (EventScore one in scores)
        {
            int found = sum.Found + one.Found;
            double delay = found == 0 ? 0 : ((sum.DelayRows * sum.Found) + (one.DelayRows * one.Found)) / found;
            sum = new EventScore(sum.Events + one.Events, found, sum.FalseRuns + one.FalseRuns, delay);
        }

        return sum;
    }

    /// <summary>
    /// Scores a series at a threshold. Only a run that begins counts as an alarm, for that is when somebody is told: an event is found by a run
    /// that begins within it, no later than <paramref name="latestRows"/> after its first row; a run that begins outside any event is false.
    /// An alarm that was on all along finds nothing, so a threshold below everything scores 0.
    /// </summary>
    public static EventScore Of(ReadOnlySpan<bool> labels, ReadOnlySpan<float> scores, float threshold, int latestRows, int mergeRows)
    {
        List<(int First, int Last)> events = VolumeUnderSurface.Ranges(labels);
        List<(int First, int Last)> runs = Runs(scores, threshold, mergeRows);
        int found = 0, delay = 0;
        foreach ((int first, int last) in events)
        {
            int begin = runs.FindIndex(run => run.First >= first && run.First <= Math.Min(last, first + latestRows));
            found += begin >= 0 ? 1 : 0;
            delay += begin >= 0 ? runs[begin].First - first : 0;
        }

        int falseRuns = runs.Count(run => !events.Exists(labelled => run.First >= labelled.First && run.First <= labelled.Last));
        return new EventScore(events.Count, found, falseRuns, found == 0 ? 0 : (double)delay / found);
    }

    private static List<(int First, int Last)> Runs(ReadOnlySpan<float> scores, float threshold, int mergeRows)
    {
        var runs = new List<(int First, int Last)>();
        for (int row = 0; row < scores.Length; row++)
        {
            if (scores[row] < threshold)
            {
                continue;
            }

            if (runs.Count > 0 && row - runs[^1].Last <= mergeRows + 1)
            {
                runs[^1] = (runs[^1].First, row);
            }
            else
            {
                runs.Add((row, row));
            }
        }

        return runs;
    }
}
