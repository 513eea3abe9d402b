using NodeAgent.Placement.Solvers;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Solvers;

public sealed class AuctionTests
{
    [Theory]
    [InlineData(1, 6, 6)]
    [InlineData(2, 12, 8)]
    [InlineData(3, 5, 15)]
    [InlineData(4, 20, 20)]
    public void Solve_RandomBids_IsWithinEpsilonOfTheLinearProgram(ulong seed, int bidders, int items)
    {
        var random = new SplitMix(seed);
        double[][] values = [.. Enumerable.Range(0, bidders).Select(_ => Row(ref random, items))];
        double[] reserves = Row(ref random, items).Select(value => Math.Max(0, value / 3)).ToArray();
        const double epsilon = 1e-4;

        AuctionResult result = AuctionSolver.Solve(values, reserves, epsilon);

        Assert.InRange(AuctionSolver.OptimumByLinearProgram(values, reserves) - result.Value, -1e-6, bidders * epsilon);
        Assert.All(Enumerable.Range(0, items), item => Assert.True(result.Prices[item] >= reserves[item]));
        Assert.Equal(result.ItemOf.Where(item => item >= 0).Distinct().Count(), result.ItemOf.Count(item => item >= 0));
    }

    [Fact]
    public void Solve_BidBelowReserve_GoesWithout() =>
        Assert.Equal([-1], AuctionSolver.Solve([[3]], [4], 0.01).ItemOf);

    [Fact]
    public void Tuner_OnAHill_FindsItsTop()
    {
        var tuner = new GeneticTuner([(-10, 10), (-10, 10)], weights => -Math.Pow(weights[0] - 3, 2) - Math.Pow(weights[1] + 4, 2), seed: 1);

        (double[] weights, double fitness) = tuner.Run(population: 40, generations: 40);

        Assert.InRange(fitness, -0.05, 0);
        Assert.Equal(3, weights[0], 0);
    }

    private static double[] Row(ref SplitMix random, int items)
    {
        double[] row = new double[items];
        for (int item = 0; item < items; item++)
        {
            row[item] = random.Next(100);
        }

        return row;
    }
}
