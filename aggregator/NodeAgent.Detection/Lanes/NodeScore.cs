namespace NodeAgent.Detection.Lanes;

/// <summary>
/// A node's score from its metrics' scores: the fourth-power mean, so that a few metrics far off count and thirty that are quiet do not dilute
/// them (a plain mean loses a fifth to a quarter of VUS-PR on SMD), held a while, because a fault does not end with the sample that
/// showed it best.
/// </summary>
public sealed class NodeScore
{
    private readonly float _hold;
    private float _held;

    /// <param name="holdSamples">Samples in which a held score falls to a third; 0 holds nothing.</param>
    public NodeScore(float holdSamples = 100) => _hold = holdSamples <= 0 ? 0 : 1 - (1 / holdSamples);

    /// <summary>The node's score now.</summary>
    /// <param name="scores">One a metric, in scales (<see cref="Residual.Score"/>).</param>
    /// <param name="leading">Receives the metrics that made it, largest first; as many as fit.</param>
    public float Update(ReadOnlySpan<float> scores, Span<int> leading)
    {
        double sum = 0;
        leading.Fill(-1);
        for (int metric = 0; metric < scores.Length; metric++)
        {
            double square = (double)scores[metric] * scores[metric];
            sum += square * square;
            Place(scores, leading, metric);
        }

        float now = scores.Length == 0 ? 0 : (float)Math.Sqrt(Math.Sqrt(sum / scores.Length));
        _held = MathF.Max(now, _held * _hold);
        return _held;
    }

    private static void Place(ReadOnlySpan<float> scores, Span<int> leading, int metric)
    {
        for (int place = 0; place < leading.Length; place++)
        {
            if (leading[place] < 0 || scores[metric] > scores[leading[place]])
            {
                leading[place..^1].CopyTo(leading[(place + 1)..]);
                leading[place] = metric;
                return;
            }
        }
    }
}
