using NodeAgent.Detection.Lanes;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// What stands beside ours: detectors anybody would try first, each causal, each our own emulation (quote none of them as the product of
/// that name). A detector sees a row of all metrics and gives one score.
/// </summary>
internal static class SmdDetectors
{
    internal static readonly (string Name, Func<SmdMachine, Func<float[], long, float>> Make)[] All =
    [
        ("ours: gated residual, L4, held", machine => Ours(machine, hold: 100)),
        ("ours, not held", machine => Ours(machine, hold: 0)),
        ("ours, level only", machine => Ours(machine, 100, new ResidualOptions { ProfileAdvantage = 0 })),
        ("ours, profile wherever known", machine => Ours(machine, 100, new ResidualOptions { ProfileAdvantage = float.PositiveInfinity })),
        ("short EW z, L4", EwZ),
        ("short EW z, mean", EwMean),
        ("streaming histogram", Histogram),
        ("k-means bits (as Netdata)", KMeansBits),
        ("adaptive band (as Grafana)", AdaptiveBand),
        ("novelty lane (best on NAB), max", Novelty),
        ("random", Random),
    ];

    private static Func<float[], long, float> Ours(SmdMachine machine, float hold, ResidualOptions? options = null)
    {
        var lanes = new SeriesLanes(machine.Metrics, null, options);
        var node = new NodeScore(hold);
        float[] scores = new float[machine.Metrics];
        int[] leading = new int[3];
        return (row, time) =>
        {
            for (int metric = 0; metric < row.Length; metric++)
            {
                scores[metric] = lanes.Update(metric, row[metric], time).Residual.Score;
            }

            return node.Update(scores, leading);
        };
    }

    private static Func<float[], long, float> Novelty(SmdMachine machine)
    {
        var lanes = new SeriesLanes(machine.Metrics);
        return (row, time) =>
        {
            float most = 0;
            for (int metric = 0; metric < row.Length; metric++)
            {
                most = MathF.Max(most, lanes.Update(metric, row[metric], time).Novelty);
            }

            return most;
        };
    }

    private static Func<float[], long, float> EwZ(SmdMachine machine) => Ew(machine, fourth: true);

    private static Func<float[], long, float> EwMean(SmdMachine machine) => Ew(machine, fourth: false);

    private static Func<float[], long, float> Ew(SmdMachine machine, bool fourth)
    {
        float[] level = new float[machine.Metrics];
        float[] scale = new float[machine.Metrics];
        bool first = true;
        return (row, _) =>
        {
            double sum = 0;
            for (int metric = 0; metric < row.Length; metric++)
            {
                level[metric] = first ? row[metric] : level[metric];
                float off = row[metric] - level[metric];
                double z = Math.Min(Math.Abs(off) / ((1.25 * scale[metric]) + 0.001), 20);
                sum += fourth ? z * z * z * z : z;
                off = Math.Clamp(off, -3 * ((1.25f * scale[metric]) + 0.001f), 3 * ((1.25f * scale[metric]) + 0.001f));
                level[metric] += 0.05f * off;
                scale[metric] += 0.005f * (Math.Abs(off) - scale[metric]);
            }

            first = false;
            return (float)(fourth ? Math.Sqrt(Math.Sqrt(sum / row.Length)) : sum / row.Length);
        };
    }

    private static Func<float[], long, float> Histogram(SmdMachine machine)
    {
        const int Bins = 20;
        float[][] counts = [.. Enumerable.Range(0, machine.Metrics).Select(_ => new float[Bins])];
        float[] low = new float[machine.Metrics];
        float[] high = new float[machine.Metrics];
        int seen = 0;
        return (row, _) =>
        {
            double sum = 0;
            for (int metric = 0; metric < row.Length; metric++)
            {
                (low[metric], high[metric]) = seen == 0 ? (row[metric], row[metric]) : (Math.Min(low[metric], row[metric]), Math.Max(high[metric], row[metric]));
                int bin = high[metric] > low[metric] ? Math.Min((int)((row[metric] - low[metric]) / (high[metric] - low[metric]) * Bins), Bins - 1) : 0;
                sum -= Math.Log((counts[metric][bin] + 0.5) / (seen + (0.5 * Bins)));
                counts[metric][bin]++;
            }

            seen++;
            return (float)(sum / row.Length);
        };
    }

    // Netdata's shape: differenced, smoothed and lagged values, two clusters, a bit where the distance exceeds all of training; retrained each quarter day on the last day.
    private static Func<float[], long, float> KMeansBits(SmdMachine machine)
    {
        var metrics = Enumerable.Range(0, machine.Metrics).Select(_ => new KMeansMetric(machine.Day)).ToArray();
        return (row, _) =>
        {
            float bits = 0;
            for (int metric = 0; metric < row.Length; metric++)
            {
                bits += metrics[metric].IsAnomalous(row[metric]) ? 1 : 0;
            }

            return bits / row.Length;
        };
    }

    // Grafana's shape: a smoothed middle over a day with a band of deviations around it; the score is how far outside, averaged.
    private static Func<float[], long, float> AdaptiveBand(SmdMachine machine)
    {
        float rate = 2f / (machine.Day + 1);
        float[] mean = new float[machine.Metrics];
        float[] square = new float[machine.Metrics];
        int seen = 0;
        return (row, _) =>
        {
            float sum = 0;
            seen++;
            for (int metric = 0; metric < row.Length; metric++)
            {
                float deviation = MathF.Sqrt(Math.Max(square[metric] - (mean[metric] * mean[metric]), 0)) + 1e-3f;
                sum += Math.Min(Math.Max((Math.Abs(row[metric] - mean[metric]) / deviation) - 2, 0), 20);
                float step = Math.Max(rate, 1f / seen);
                mean[metric] += (row[metric] - mean[metric]) * step;
                square[metric] += ((row[metric] * row[metric]) - square[metric]) * step;
            }

            return sum / row.Length;
        };
    }

    private static Func<float[], long, float> Random(SmdMachine machine)
    {
        var random = new SplitMix((ulong)machine.Test.Length);
        return (_, _) => (float)random.NextDouble();
    }
}
