using System.IO.Compression;
using NodeAgent.Placement.Solvers;

namespace NodeAgent.Placement.Tests.Solvers;

public sealed class SimplexTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Data", "netlib");

    public static TheoryData<string, double> Netlib
    {
        get
        {
            var data = new TheoryData<string, double>();
            foreach (string[] cells in File.ReadLines(Path.Combine(Folder, "optimal.csv")).Skip(1).Select(line => line.Split(',')))
            {
                if (File.Exists(Path.Combine(Folder, cells[0] + ".mps.gz")))
                {
                    data.Add(cells[0], double.Parse(cells[1]));
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Netlib))]
    public void Solve_NetlibProblem_ReachesTheKnownOptimumAndDuality(string name, double optimum)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Folder, name + ".mps.gz")), CompressionMode.Decompress));
        LinearProgram program = MpsFile.Read(reader);

        LinearSolution solution = Simplex.Solve(program);

        Assert.Equal(LinearStatus.Optimal, solution.Status);
        Assert.InRange(Math.Abs(solution.Objective - optimum) / Math.Max(1, Math.Abs(optimum)), 0, 1e-6);
        Assert.InRange(Math.Abs(DualObjective(program, solution) - optimum) / Math.Max(1, Math.Abs(optimum)), 0, 1e-6);
    }

    [Fact]
    public void Solve_KnownProgram_GivesPricesOfItsRows()
    {
        // max 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18: 36 at (2, 6), prices 0, 3/2, 1.
        var program = new LinearProgram();
        int first = program.AddRow(double.NegativeInfinity, 4);
        int second = program.AddRow(double.NegativeInfinity, 12);
        int third = program.AddRow(double.NegativeInfinity, 18);
        program.AddColumn(-3, 0, double.PositiveInfinity, [(first, 1), (third, 3)]);
        program.AddColumn(-5, 0, double.PositiveInfinity, [(second, 2), (third, 2)]);

        LinearSolution solution = Simplex.Solve(program);

        Assert.Equal(-36, solution.Objective, 9);
        Assert.Equal([0, -1.5, -1], solution.Duals.Select(dual => Math.Round(dual, 9) + 0.0));
    }

    [Fact]
    public void Solve_Contradiction_IsInfeasible()
    {
        var program = new LinearProgram();
        int row = program.AddRow(5, double.PositiveInfinity);
        program.AddColumn(1, 0, 2, [(row, 2)]);

        Assert.Equal(LinearStatus.Infeasible, Simplex.Solve(program).Status);
    }

    [Fact]
    public void Solve_NothingHoldsIt_IsUnbounded()
    {
        var program = new LinearProgram();
        int row = program.AddRow(1, double.PositiveInfinity);
        program.AddColumn(-1, 0, double.PositiveInfinity, [(row, 1)]);

        Assert.Equal(LinearStatus.Unbounded, Simplex.Solve(program).Status);
    }

    // Weak duality with the reduced costs at the bounds: equal to the primal only at the optimum.
    private static double DualObjective(LinearProgram program, LinearSolution solution)
    {
        double sum = 0;
        for (int row = 0; row < solution.Duals.Length; row++)
        {
            sum += AtBound(solution.Duals[row], program.RowLower[row], program.RowUpper[row]);
        }

        for (int column = 0; column < solution.X.Length; column++)
        {
            double reduced = program.Cost[column] - program.Columns[column].Sum(entry => entry.Value * solution.Duals[entry.Row]);
            sum += AtBound(reduced, program.Lower[column], program.Upper[column]);
        }

        return sum;
    }

    private static double AtBound(double multiplier, double lower, double upper)
    {
        double bound = multiplier > 0 ? lower : upper;
        return double.IsInfinity(bound) ? 0 : multiplier * bound; // a multiplier against a missing bound is rounding, near zero
    }
}
