namespace NodeAgent.Placement.Solvers;

/// <summary>
/// Bounded-variable revised primal simplex with an explicit basis inverse, refactored regularly; geometric scaling, devex pricing, a
/// two-pass ratio test (Harris), and Bland's rule where it stalls. Phase one minimises the sum of infeasibilities from the slack basis.
/// Dense in the number of rows: meant for the hundreds of rows of placement problems, not for a general solver's work.
/// </summary>
public sealed class Simplex
{
    private const double Feasible = 1e-9;
    private const double Optimal = 1e-9;
    private const double PivotTolerance = 1e-7;
    private const int RefactorEvery = 64;
    private const int StallLimit = 400;

    private readonly int _rows;
    private readonly int _columns;
    private readonly int _all;
    private readonly (int Row, double Value)[][] _column;
    private readonly double[] _cost;
    private readonly double[] _lower;
    private readonly double[] _upper;
    private readonly double[] _rowScale;
    private readonly double[] _columnScale;
    private readonly double[] _x;
    private readonly int[] _basis;
    private readonly int[] _place; // of a column: its row in the basis, or -1
    private readonly double[][] _inverse;
    private readonly double[] _weights;
    private readonly LinearProgram _program;

    private Simplex(LinearProgram program)
    {
        _program = program;
        (_rows, _columns) = (program.RowLower.Count, program.Cost.Count);
        _all = _rows + _columns;
        (_rowScale, _columnScale) = Scaling.Geometric(program);
        _column = new (int, double)[_all][];
        _cost = new double[_all];
        _lower = new double[_all];
        _upper = new double[_all];
        _x = new double[_all];
        _weights = new double[_all];
        for (int column = 0; column < _columns; column++)
        {
            double scale = _columnScale[column];
            _column[column] = [.. program.Columns[column].Select(entry => (entry.Row, entry.Value * _rowScale[entry.Row] * scale))];
            _cost[column] = program.Cost[column] * scale;
            (_lower[column], _upper[column]) = (program.Lower[column] / scale, program.Upper[column] / scale);
        }

        for (int row = 0; row < _rows; row++)
        {
            // A x - r = 0: the logical of a row is its activity.
            _column[_columns + row] = [(row, -1)];
            (_lower[_columns + row], _upper[_columns + row]) = (program.RowLower[row] * _rowScale[row], program.RowUpper[row] * _rowScale[row]);
        }

        _basis = new int[_rows];
        _place = new int[_all];
        _inverse = new double[_rows][];
    }

    /// <summary>Solves a program.</summary>
    public static LinearSolution Solve(LinearProgram program, int iterationLimit = 50_000) => new Simplex(program).Run(iterationLimit);

    private LinearSolution Run(int limit)
    {
        Start();
        int iterations = 0;
        int stalled = 0;
        int sinceFactor = 0;
        double bestMeasure = double.PositiveInfinity;
        bool wasFeasible = false;
        double[] y = new double[_rows];
        double[] direction = new double[_rows];
        while (iterations < limit)
        {
            if (sinceFactor >= RefactorEvery)
            {
                if (!Refactor())
                {
                    return Finish(LinearStatus.Stopped, y, iterations);
                }

                sinceFactor = 0;
            }

            double infeasibility = Multipliers(y);
            bool feasible = infeasibility <= Feasible * 10;
            double measure = feasible ? Objective() : infeasibility;
            if (feasible != wasFeasible || measure < bestMeasure - (1e-12 * Math.Max(1, Math.Abs(bestMeasure))))
            {
                (bestMeasure, stalled, wasFeasible) = (measure, 0, feasible);
            }
            else
            {
                stalled++;
            }

            int entering = Price(y, feasible, stalled > StallLimit, out double slope);
            if (entering < 0)
            {
                if (sinceFactor > 0)
                {
                    // Believe an end only on fresh numbers.
                    sinceFactor = RefactorEvery;
                    continue;
                }

                return Finish(feasible ? LinearStatus.Optimal : LinearStatus.Infeasible, y, iterations);
            }

            int sign = slope < 0 ? 1 : -1;
            Direction(entering, direction);
            (int leaving, double step, bool toUpper) = Ratio(entering, sign, direction, feasible, stalled > StallLimit);
            if (double.IsPositiveInfinity(step))
            {
                return Finish(feasible ? LinearStatus.Unbounded : LinearStatus.Stopped, y, iterations);
            }

            Step(entering, leaving, sign * step, direction, toUpper);
            sinceFactor += leaving >= 0 ? 1 : 0;
            iterations++;
        }

        return Finish(LinearStatus.Stopped, y, iterations);
    }

    private void Start()
    {
        Array.Fill(_weights, 1);
        Array.Fill(_place, -1);
        for (int column = 0; column < _columns; column++)
        {
            _x[column] = Nearest(column);
        }

        for (int row = 0; row < _rows; row++)
        {
            _basis[row] = _columns + row;
            _place[_columns + row] = row;
        }

        Refactor();
    }

    private double Nearest(int column)
    {
        double lower = _lower[column], upper = _upper[column];
        return double.IsNegativeInfinity(lower) ? (double.IsPositiveInfinity(upper) ? 0 : upper)
            : double.IsPositiveInfinity(upper) ? lower : Math.Abs(lower) <= Math.Abs(upper) ? lower : upper;
    }

    // y = c_B B^-1, with the phase-one costs where basics are out of bounds. Returns the sum of infeasibilities.
    private double Multipliers(double[] y)
    {
        double infeasibility = 0;
        for (int row = 0; row < _rows; row++)
        {
            int column = _basis[row];
            infeasibility += Math.Max(0, Math.Max(_lower[column] - _x[column] - Tolerance(column), _x[column] - _upper[column] - Tolerance(column)));
        }

        bool feasible = infeasibility <= Feasible * 10;
        Array.Clear(y);
        for (int row = 0; row < _rows; row++)
        {
            int column = _basis[row];
            double cost = feasible ? _cost[column] : _x[column] < _lower[column] - Tolerance(column) ? -1 : _x[column] > _upper[column] + Tolerance(column) ? 1 : 0;
            if (cost != 0)
            {
                double[] inverse = _inverse[row];
                AddScaled(y, inverse, cost);
            }
        }

        return infeasibility;
    }

    private double Tolerance(int column) => Feasible * (1 + Math.Abs(_x[column]));

    private double Objective()
    {
        double sum = 0;
        for (int column = 0; column < _columns; column++)
        {
            sum += _cost[column] * _x[column];
        }

        return sum;
    }

    private int Price(double[] y, bool feasible, bool bland, out double slope)
    {
        int best = -1;
        double bestScore = 0;
        slope = 0;
        for (int column = 0; column < _all; column++)
        {
            if (_place[column] >= 0 || _lower[column] == _upper[column])
            {
                continue;
            }

            double reduced = feasible ? _cost[column] : 0;
            foreach ((int row, double value) in _column[column])
            {
                reduced -= y[row] * value;
            }

            bool mayGrow = _x[column] < _upper[column];
            bool mayShrink = _x[column] > _lower[column];
            if ((reduced < -Optimal && mayGrow) || (reduced > Optimal && mayShrink))
            {
                if (bland)
                {
                    slope = reduced;
                    return column;
                }

                double score = reduced * reduced / _weights[column];
                if (score > bestScore)
                {
                    (best, bestScore, slope) = (column, score, reduced);
                }
            }
        }

        return best;
    }

    private void Direction(int entering, double[] direction)
    {
        for (int row = 0; row < _rows; row++)
        {
            double sum = 0;
            double[] inverse = _inverse[row];
            foreach ((int at, double value) in _column[entering])
            {
                sum += inverse[at] * value;
            }

            direction[row] = sum;
        }
    }

    // How far the entering column can go. Leaving -1: to its own other bound.
    private (int Leaving, double Step, bool ToUpper) Ratio(int entering, int sign, double[] direction, bool feasible, bool bland)
    {
        double span = _upper[entering] - _lower[entering];
        double relaxed = double.PositiveInfinity;
        for (int row = 0; row < _rows; row++)
        {
            double rate = -sign * direction[row];
            if (Math.Abs(rate) > PivotTolerance && Limit(row, rate, feasible, out double distance, out _))
            {
                relaxed = Math.Min(relaxed, (distance + (Feasible * (1 + Math.Abs(_x[_basis[row]])))) / Math.Abs(rate));
            }
        }

        if (span <= relaxed)
        {
            return (-1, span, sign > 0);
        }

        int leaving = -1;
        double step = 0, bestPivot = 0;
        bool toUpper = false;
        for (int row = 0; row < _rows; row++)
        {
            double rate = -sign * direction[row];
            if (Math.Abs(rate) <= PivotTolerance || !Limit(row, rate, feasible, out double distance, out bool upper))
            {
                continue;
            }

            double ratio = distance / Math.Abs(rate);
            bool better = bland ? leaving < 0 || _basis[row] < _basis[leaving] : Math.Abs(rate) > bestPivot;
            if (ratio <= relaxed && better)
            {
                (leaving, step, toUpper, bestPivot) = (row, Math.Max(0, ratio), upper, Math.Abs(rate));
            }
        }

        return leaving < 0 ? (-1, double.PositiveInfinity, false) : (leaving, step, toUpper);
    }

    // The bound that stops a basic moving at a rate, and the distance to it.
    private bool Limit(int row, double rate, bool feasible, out double distance, out bool upper)
    {
        int column = _basis[row];
        double x = _x[column], tolerance = Tolerance(column);
        upper = rate > 0;
        double bound = upper ? _upper[column] : _lower[column];
        if (!feasible)
        {
            if (x < _lower[column] - tolerance)
            {
                // Below its bounds: going down it is free, going up it may stop at the lower bound.
                (bound, upper) = rate > 0 ? (_lower[column], false) : (double.NegativeInfinity, false);
            }
            else if (x > _upper[column] + tolerance)
            {
                (bound, upper) = rate < 0 ? (_upper[column], true) : (double.PositiveInfinity, true);
            }
        }

        distance = Math.Max(0, rate > 0 ? bound - x : x - bound);
        return !double.IsInfinity(bound);
    }

    private void Step(int entering, int leaving, double move, double[] direction, bool toUpper)
    {
        for (int row = 0; row < _rows; row++)
        {
            _x[_basis[row]] -= move * direction[row];
        }

        _x[entering] += move;
        if (leaving < 0)
        {
            _x[entering] = toUpper ? _upper[entering] : _lower[entering];
            return;
        }

        UpdateWeights(entering, leaving, direction);
        int left = _basis[leaving];
        _x[left] = toUpper ? _upper[left] : _lower[left];
        _basis[leaving] = entering;
        _place[left] = -1;
        _place[entering] = leaving;
        Pivot(leaving, direction);
    }

    // Devex (Forrest and Goldfarb 1992), reference weights per column.
    private void UpdateWeights(int entering, int leaving, double[] direction)
    {
        double pivot = direction[leaving];
        double weight = Math.Max(_weights[entering], 1);
        double[] row = _inverse[leaving];
        for (int column = 0; column < _all; column++)
        {
            if (_place[column] >= 0 || column == entering)
            {
                continue;
            }

            double alpha = 0;
            foreach ((int at, double value) in _column[column])
            {
                alpha += row[at] * value;
            }

            if (alpha != 0)
            {
                double ratio = alpha / pivot;
                _weights[column] = Math.Max(_weights[column], ratio * ratio * weight);
            }
        }

        _weights[_basis[leaving]] = Math.Max(weight / (pivot * pivot), 1);
        if (weight > 1e8)
        {
            Array.Fill(_weights, 1);
        }
    }

    private void Pivot(int leaving, double[] direction)
    {
        double[] pivotRow = _inverse[leaving];
        double factor = 1 / direction[leaving];
        for (int at = 0; at < _rows; at++)
        {
            pivotRow[at] *= factor;
        }

        for (int row = 0; row < _rows; row++)
        {
            if (row != leaving && direction[row] != 0)
            {
                AddScaled(_inverse[row], pivotRow, -direction[row]);
            }
        }
    }

    // The inverse of the basis from scratch (Gauss-Jordan, partial pivoting), then the basics from the non-basics.
    private bool Refactor()
    {
        if (!BasisInverse.Compute(_rows, row => _column[_basis[row]], _inverse))
        {
            return false;
        }

        double[] right = new double[_rows];
        for (int column = 0; column < _all; column++)
        {
            if (_place[column] < 0 && _x[column] != 0)
            {
                foreach ((int row, double value) in _column[column])
                {
                    right[row] -= value * _x[column];
                }
            }
        }

        for (int row = 0; row < _rows; row++)
        {
            double sum = 0;
            double[] inverse = _inverse[row];
            for (int at = 0; at < _rows; at++)
            {
                sum += inverse[at] * right[at];
            }

            _x[_basis[row]] = sum;
        }

        return true;
    }

    private LinearSolution Finish(LinearStatus status, double[] y, int iterations)
    {
        double[] x = [.. Enumerable.Range(0, _columns).Select(column => _x[column] * _columnScale[column])];
        double[] duals = [.. Enumerable.Range(0, _rows).Select(row => y[row] * _rowScale[row])];
        double objective = 0;
        for (int column = 0; column < _columns; column++)
        {
            objective += _program.Cost[column] * x[column];
        }

        return new LinearSolution(status, objective, x, duals, iterations);
    }

    private static void AddScaled(double[] target, double[] source, double factor)
    {
        int width = System.Numerics.Vector<double>.Count;
        var vector = new System.Numerics.Vector<double>(factor);
        int at = 0;
        for (; at <= target.Length - width; at += width)
        {
            (new System.Numerics.Vector<double>(target, at) + (vector * new System.Numerics.Vector<double>(source, at))).CopyTo(target, at);
        }

        for (; at < target.Length; at++)
        {
            target[at] += factor * source[at];
        }
    }
}
