using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Solvers;

/// <summary>
/// Tunes a handful of weights offline on replayed windows; never in the path of a decision. Tournament selection, blend crossover,
/// Gaussian mutation that narrows, the best always survives. The same seed gives the same result.
/// </summary>
public sealed class GeneticTuner(IReadOnlyList<(double Low, double High)> bounds, Func<double[], double> fitness, ulong seed)
{
    private SplitMix _random = new(seed);

    /// <summary>The best weights found and their fitness (larger is better).</summary>
    public (double[] Weights, double Fitness) Run(int population, int generations)
    {
        (double[] Weights, double Fitness)[] people = [.. Enumerable.Range(0, population).Select(_ => Judged([.. bounds.Select(bound => bound.Low + ((bound.High - bound.Low) * _random.NextDouble()))]))];
        for (int generation = 0; generation < generations; generation++)
        {
            double spread = 0.2 * (1 - ((double)generation / generations));
            (double[] Weights, double Fitness) best = people.MaxBy(person => person.Fitness);
            people = [best, .. Enumerable.Range(1, population - 1).Select(_ => Judged(Child(Chosen(people), Chosen(people), spread)))];
        }

        return people.MaxBy(person => person.Fitness);
    }

    private (double[] Weights, double Fitness) Judged(double[] weights) => (weights, fitness(weights));

    private double[] Chosen((double[] Weights, double Fitness)[] people)
    {
        (double[] Weights, double Fitness) one = people[_random.Next(people.Length)];
        (double[] Weights, double Fitness) other = people[_random.Next(people.Length)];
        return one.Fitness >= other.Fitness ? one.Weights : other.Weights;
    }

    private double[] Child(double[] mother, double[] father, double spread)
    {
        double[] child = new double[mother.Length];
        for (int gene = 0; gene < child.Length; gene++)
        {
            double share = _random.NextDouble();
            double noise = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
            (double low, double high) = bounds[gene];
            child[gene] = Math.Clamp((mother[gene] * share) + (father[gene] * (1 - share)) + (noise * spread * (high - low)), low, high);
        }

        return child;
    }
}
