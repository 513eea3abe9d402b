namespace NodeAgent.Placement.Solvers;

/// <summary>
/// Minimise c·x subject to row bounds on A x and column bounds on x. Columns are sparse. Infinite bounds are
/// <see cref="double.PositiveInfinity"/> and <see cref="double.NegativeInfinity"/>.
/// </summary>
public sealed class LinearProgram
{
    /// <summary>Adds a row; returns its number.</summary>
    public int AddRow(double lower, double upper)
    {
        RowLower.Add(lower);
        RowUpper.Add(upper);
        return RowLower.Count - 1;
    }

    /// <summary>Adds a column; returns its number.</summary>
    public int AddColumn(double cost, double lower, double upper, IEnumerable<(int Row, double Value)> entries)
    {
        Cost.Add(cost);
        Lower.Add(lower);
        Upper.Add(upper);
        (int Row, double Value)[] sparse = [.. entries.Where(entry => entry.Value != 0)];
        Columns.Add(sparse);
        return Cost.Count - 1;
    }

    public List<double> RowLower { get; } = [];

    public List<double> RowUpper { get; } = [];

    public List<double> Cost { get; } = [];

    public List<double> Lower { get; } = [];

    public List<double> Upper { get; } = [];

    public List<(int Row, double Value)[]> Columns { get; } = [];
}

/// <summary>How a solve ended.</summary>
public enum LinearStatus
{
    Optimal = 0,
    Infeasible = 1,
    Unbounded = 2,

    /// <summary>Stopped by the iteration limit or by numbers that got out of hand; the figures are of the last basis.</summary>
    Stopped = 3,
}

/// <summary>A solution.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Objective">c·x.</param>
/// <param name="X">Columns.</param>
/// <param name="Duals">Per row: by how much the objective changes when the row's active bound grows by one (the shadow price).</param>
/// <param name="Iterations">Pivots and bound flips.</param>
public sealed record LinearSolution(LinearStatus Status, double Objective, double[] X, double[] Duals, int Iterations);
