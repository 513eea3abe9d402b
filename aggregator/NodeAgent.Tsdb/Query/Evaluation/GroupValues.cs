using System.Numerics;
using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>The values of one group of series, combined step by step. NaN is an absent value and changes nothing.</summary>
internal abstract class GroupValues
{
    /// <param name="plan">Names the aggregation.</param>
    /// <param name="steps">Length of every row.</param>
    /// <param name="budget">Pays for what is held.</param>
    public static GroupValues Create(QueryPlan plan, int steps, QueryBudget budget) => plan.Aggregation switch
    {
        Aggregation.Sum or Aggregation.Avg or Aggregation.Count => new SumValues(plan.Aggregation, steps, budget),
        Aggregation.Min or Aggregation.Max => new ExtremeValues(plan.Aggregation, steps, budget),
        Aggregation.StdDev => new DeviationValues(steps, budget),
        Aggregation.Quantile => new QuantileValues(plan.Quantile, steps, budget),
        _ => throw new InvalidOperationException($"BUG: aggregation {plan.Aggregation} passed the plan's check."),
    };

    /// <summary>Adds one series' values.</summary>
    public abstract void Add(ReadOnlySpan<double> values);

    /// <summary>The combined values; NaN where no series had one. Called once, last.</summary>
    public abstract double[] Finish();

    private sealed class SumValues : GroupValues
    {
        private readonly Aggregation _aggregation;
        private readonly double[] _sums;
        private readonly double[] _counts;

        public SumValues(Aggregation aggregation, int steps, QueryBudget budget)
        {
            budget.HoldValues(2L * steps);
            _aggregation = aggregation;
            _sums = new double[steps];
            _counts = new double[steps];
        }

        public override void Add(ReadOnlySpan<double> values)
        {
            Span<Vector<double>> sums = MemoryMarshal.Cast<double, Vector<double>>(_sums.AsSpan());
            Span<Vector<double>> counts = MemoryMarshal.Cast<double, Vector<double>>(_counts.AsSpan());
            ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(values);
            for (int i = 0; i < vectors.Length; i++)
            {
                Vector<double> value = vectors[i];
                Vector<long> isPresent = Vector.Equals(value, value);
                sums[i] += Vector.ConditionalSelect(isPresent, value, Vector<double>.Zero);
                counts[i] += Vector.ConditionalSelect(isPresent, Vector<double>.One, Vector<double>.Zero);
            }

            for (int i = vectors.Length * Vector<double>.Count; i < values.Length; i++)
            {
                if (!double.IsNaN(values[i]))
                {
                    _sums[i] += values[i];
                    _counts[i]++;
                }
            }
        }

        public override double[] Finish()
        {
            for (int i = 0; i < _sums.Length; i++)
            {
                double value = _aggregation switch
                {
                    Aggregation.Sum => _sums[i],
                    Aggregation.Avg => _sums[i] / _counts[i],
                    _ => _counts[i],
                };
                _sums[i] = _counts[i] == 0 ? double.NaN : value;
            }

            return _sums;
        }
    }

    private sealed class ExtremeValues : GroupValues
    {
        private readonly bool _max;
        private readonly double[] _values;

        public ExtremeValues(Aggregation aggregation, int steps, QueryBudget budget)
        {
            budget.HoldValues(steps);
            _max = aggregation == Aggregation.Max;
            _values = new double[steps];
            Array.Fill(_values, double.NaN);
        }

        public override void Add(ReadOnlySpan<double> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                // MaxNumber and MinNumber take the number where the other is NaN.
                _values[i] = _max ? double.MaxNumber(_values[i], values[i]) : double.MinNumber(_values[i], values[i]);
            }
        }

        public override double[] Finish() => _values;
    }

    /// <summary>Population standard deviation by Welford's recurrence, which does not cancel where the mean is large.</summary>
    private sealed class DeviationValues : GroupValues
    {
        private readonly double[] _counts;
        private readonly double[] _means;
        private readonly double[] _squares;

        public DeviationValues(int steps, QueryBudget budget)
        {
            budget.HoldValues(3L * steps);
            _counts = new double[steps];
            _means = new double[steps];
            _squares = new double[steps];
        }

        public override void Add(ReadOnlySpan<double> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (!double.IsNaN(values[i]))
                {
                    double off = values[i] - _means[i];
                    _counts[i]++;
                    _means[i] += off / _counts[i];
                    _squares[i] += off * (values[i] - _means[i]);
                }
            }
        }

        public override double[] Finish()
        {
            for (int i = 0; i < _counts.Length; i++)
            {
                _squares[i] = _counts[i] == 0 ? double.NaN : Math.Sqrt(_squares[i] / _counts[i]);
            }

            return _squares;
        }
    }

    /// <summary>Exact quantiles need every value, so each series' row is held until the end.</summary>
    private sealed class QuantileValues(double quantile, int steps, QueryBudget budget) : GroupValues
    {
        private readonly List<double[]> _rows = [];

        public override void Add(ReadOnlySpan<double> values)
        {
            budget.HoldValues(steps);
            _rows.Add(values.ToArray());
        }

        public override double[] Finish()
        {
            double[] result = new double[steps];
            double[] column = new double[_rows.Count];
            for (int step = 0; step < steps; step++)
            {
                budget.Check();
                int count = 0;
                foreach (double[] row in _rows)
                {
                    if (!double.IsNaN(row[step]))
                    {
                        column[count++] = row[step];
                    }
                }

                result[step] = count == 0 ? double.NaN : Spans.Quantile(quantile, column.AsSpan(0, count));
            }

            return result;
        }
    }
}
