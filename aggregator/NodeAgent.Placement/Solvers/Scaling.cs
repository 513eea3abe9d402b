namespace NodeAgent.Placement.Solvers;

/// <summary>Row and column factors, powers of two, that bring the entries of a program near one (geometric mean, three passes).</summary>
internal static class Scaling
{
    private const int Passes = 3;

    public static (double[] Rows, double[] Columns) Geometric(LinearProgram program)
    {
        double[] rows = Ones(program.RowLower.Count);
        double[] columns = Ones(program.Cost.Count);
        for (int pass = 0; pass < Passes; pass++)
        {
            double[] least = new double[rows.Length];
            double[] most = new double[rows.Length];
            Array.Fill(least, double.PositiveInfinity);
            for (int column = 0; column < columns.Length; column++)
            {
                foreach ((int row, double value) in program.Columns[column])
                {
                    double size = Math.Abs(value) * columns[column];
                    least[row] = Math.Min(least[row], size);
                    most[row] = Math.Max(most[row], size);
                }
            }

            for (int row = 0; row < rows.Length; row++)
            {
                rows[row] = most[row] == 0 ? 1 : 1 / Math.Sqrt(least[row] * most[row]);
            }

            for (int column = 0; column < columns.Length; column++)
            {
                double smallest = double.PositiveInfinity, largest = 0;
                foreach ((int row, double value) in program.Columns[column])
                {
                    double size = Math.Abs(value) * rows[row];
                    (smallest, largest) = (Math.Min(smallest, size), Math.Max(largest, size));
                }

                columns[column] = largest == 0 ? 1 : 1 / Math.Sqrt(smallest * largest);
            }
        }

        return ([.. rows.Select(PowerOfTwo)], [.. columns.Select(PowerOfTwo)]);
    }

    // Exact to multiply by, so scaling adds no rounding.
    private static double PowerOfTwo(double value) => Math.ScaleB(1, (int)Math.Round(Math.Log2(value)));

    private static double[] Ones(int count)
    {
        double[] ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }
}

/// <summary>Inverts a basis given by sparse columns.</summary>
internal static class BasisInverse
{
    private const double Singular = 1e-11;

    /// <summary>Fills the rows of the inverse. False: the basis is singular to working precision.</summary>
    public static bool Compute(int size, Func<int, (int Row, double Value)[]> column, double[][] inverse)
    {
        double[][] work = new double[size][];
        for (int row = 0; row < size; row++)
        {
            work[row] = new double[2 * size];
            work[row][size + row] = 1;
        }

        // Singleton columns (most logicals) first: they pivot without fill.
        for (int at = 0; at < size; at++)
        {
            foreach ((int row, double value) in column(at))
            {
                work[row][at] = value;
            }
        }

        int[] order = [.. Enumerable.Range(0, size).OrderBy(at => column(at).Length).ThenBy(at => at)];
        bool[] used = new bool[size];
        int[] rowOf = new int[size];
        foreach (int at in order)
        {
            int pivot = -1;
            for (int row = 0; row < size; row++)
            {
                pivot = !used[row] && (pivot < 0 || Math.Abs(work[row][at]) > Math.Abs(work[pivot][at])) ? row : pivot;
            }

            if (pivot < 0 || Math.Abs(work[pivot][at]) < Singular)
            {
                return false;
            }

            used[pivot] = true;
            rowOf[at] = pivot;
            Eliminate(work, pivot, at, size);
        }

        for (int at = 0; at < size; at++)
        {
            inverse[at] = work[rowOf[at]][size..];
        }

        return true;
    }

    private static void Eliminate(double[][] work, int pivot, int at, int size)
    {
        double[] source = work[pivot];
        double factor = 1 / source[at];
        for (int column = 0; column < source.Length; column++)
        {
            source[column] *= factor;
        }

        for (int row = 0; row < size; row++)
        {
            double times = work[row][at];
            if (row == pivot || times == 0)
            {
                continue;
            }

            double[] target = work[row];
            for (int column = 0; column < target.Length; column++)
            {
                target[column] -= times * source[column];
            }
        }
    }
}
