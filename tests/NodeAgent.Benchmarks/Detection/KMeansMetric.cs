namespace NodeAgent.Benchmarks.Detection;

/// <summary>One metric's k-means with two clusters on differenced, smoothed, lagged values, as Netdata describes its anomaly bit; one model instead of eighteen.</summary>
internal sealed class KMeansMetric(int window)
{
    private const int Lags = 6;
    private const int Smooth = 3;

    private readonly Queue<float[]> _history = new();
    private readonly float[] _recent = new float[Smooth];
    private readonly float[] _features = new float[Lags];
    private float[][] _centres = [];
    private double _limit = double.PositiveInfinity;
    private float _before;
    private int _seen;

    internal bool IsAnomalous(float value)
    {
        _recent[_seen % Smooth] = _seen == 0 ? 0 : value - _before;
        _before = value;
        Array.Copy(_features, 1, _features, 0, Lags - 1);
        _features[^1] = (_recent[0] + _recent[1] + _recent[2]) / Smooth;
        _seen++;
        bool anomalous = _centres.Length > 0 && Nearest(_features).Distance > _limit;
        _history.Enqueue([.. _features]);
        if (_history.Count > window)
        {
            _history.Dequeue();
        }

        if (_seen % Math.Max(window / 4, 1) == 0)
        {
            Train();
        }

        return anomalous;
    }

    private void Train()
    {
        float[][] rows = [.. _history];
        _centres = [[.. rows[0]], [.. rows.MaxBy(row => Distance(row, rows[0]))!]];
        for (int round = 0; round < 5; round++)
        {
            double[][] sums = [new double[Lags], new double[Lags]];
            int[] counts = new int[2];
            foreach (float[] row in rows)
            {
                int cluster = Nearest(row).Cluster;
                counts[cluster]++;
                for (int lag = 0; lag < Lags; lag++)
                {
                    sums[cluster][lag] += row[lag];
                }
            }

            for (int cluster = 0; cluster < 2; cluster++)
            {
                _centres[cluster] = counts[cluster] == 0 ? _centres[cluster] : [.. sums[cluster].Select(sum => (float)(sum / counts[cluster]))];
            }
        }

        double[] distances = [.. rows.Select(row => Nearest(row).Distance).Order()];
        _limit = distances[(int)(0.99 * (distances.Length - 1))];
    }

    private (int Cluster, double Distance) Nearest(float[] row)
    {
        (double first, double second) = (Distance(row, _centres[0]), Distance(row, _centres[1]));
        return first <= second ? (0, first) : (1, second);
    }

    private static double Distance(float[] left, float[] right)
    {
        double sum = 0;
        for (int lag = 0; lag < Lags; lag++)
        {
            sum += (left[lag] - right[lag]) * (double)(left[lag] - right[lag]);
        }

        return Math.Sqrt(sum);
    }
}
