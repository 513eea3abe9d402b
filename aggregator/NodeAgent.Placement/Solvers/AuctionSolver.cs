namespace NodeAgent.Placement.Solvers;

/// <summary>What an auction settles.</summary>
/// <param name="ItemOf">Item of each bidder; −1: none.</param>
/// <param name="Prices">What each item costs: at least its reserve, and no bidder is happier with another item by more than epsilon.</param>
/// <param name="Value">Sum of values of the assigned pairs less the reserves.</param>
public sealed record AuctionResult(int[] ItemOf, double[] Prices, double Value);

/// <summary>
/// Bertsekas' auction (1988) for bids on whole GPUs or hosts, with reserve prices: a bidder goes without rather than pay more than an
/// item is worth to it. With an epsilon below 1/n of the value step the assignment is optimal; in general it is within n x epsilon.
/// The reserve is the opportunity cost of the item, so the price that a tenant sees is what its placement takes from others.
/// </summary>
public static class AuctionSolver
{
    /// <param name="values">By bidder, then item: what it is worth; negative infinity: not acceptable.</param>
    /// <param name="reserves">Per item.</param>
    /// <param name="epsilon">Least step of a price.</param>
    public static AuctionResult Solve(double[][] values, double[] reserves, double epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        int bidders = values.Length;
        double[] prices = [.. reserves];
        int[] itemOf = new int[bidders];
        int[] bidderOf = new int[reserves.Length];
        Array.Fill(itemOf, -1);
        Array.Fill(bidderOf, -1);

        // Asymmetric problems are only optimal if unsold items stay at their reserve; prices rise from the reserves, so they do.
        var waiting = new Queue<int>(Enumerable.Range(0, bidders));
        while (waiting.TryDequeue(out int bidder))
        {
            (int best, double gain, double second) = TwoBest(values[bidder], prices);
            if (best < 0 || gain < 0)
            {
                continue; // better off without
            }

            // It bids up to where its second choice, or going without, is as good.
            prices[best] += gain - Math.Max(second, 0) + epsilon;
            if (bidderOf[best] >= 0)
            {
                itemOf[bidderOf[best]] = -1;
                waiting.Enqueue(bidderOf[best]);
            }

            (bidderOf[best], itemOf[bidder]) = (bidder, best);
        }

        double value = 0;
        for (int bidder = 0; bidder < bidders; bidder++)
        {
            value += itemOf[bidder] < 0 ? 0 : values[bidder][itemOf[bidder]] - reserves[itemOf[bidder]];
        }

        return new AuctionResult(itemOf, prices, value);
    }

    /// <summary>The same problem as a linear program, whose optimum is integral: what the auction is tested against.</summary>
    public static double OptimumByLinearProgram(double[][] values, double[] reserves)
    {
        var program = new LinearProgram();
        int[] bidderRows = [.. values.Select(_ => program.AddRow(double.NegativeInfinity, 1))];
        int[] itemRows = [.. reserves.Select(_ => program.AddRow(double.NegativeInfinity, 1))];
        for (int bidder = 0; bidder < values.Length; bidder++)
        {
            for (int item = 0; item < reserves.Length; item++)
            {
                if (!double.IsNegativeInfinity(values[bidder][item]))
                {
                    program.AddColumn(reserves[item] - values[bidder][item], 0, 1, [(bidderRows[bidder], 1), (itemRows[item], 1)]);
                }
            }
        }

        return -Simplex.Solve(program).Objective;
    }

    private static (int Best, double Gain, double Second) TwoBest(double[] values, double[] prices)
    {
        int best = -1;
        double gain = double.NegativeInfinity, second = double.NegativeInfinity;
        for (int item = 0; item < values.Length; item++)
        {
            double net = values[item] - prices[item];
            if (net > gain)
            {
                (best, second, gain) = (item, gain, net);
            }
            else if (net > second)
            {
                second = net;
            }
        }

        return double.IsNegativeInfinity(gain) ? (-1, gain, second) : (best, gain, second);
    }
}
