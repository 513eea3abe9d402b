using System.Numerics;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Finds values that no measurement can have: NaN and infinities (absence has a bit of its own), and counters below zero. One compare a
/// value, many at a time; only a row that has one is looked at by column.
/// </summary>
internal sealed class ValueScreen
{
    private readonly double[] _least;
    private readonly ulong[] _passing;

    internal ValueScreen(SeriesDefinition[] definitions)
    {
        _least = Array.ConvertAll(definitions, d => d.Kind == MetricKind.Counter ? 0 : double.MinValue);
        _passing = new ulong[(definitions.Length + 63) / 64];
    }

    /// <summary>
    /// The columns that may be stored: <paramref name="present"/> itself, or without those whose value is impossible.
    /// </summary>
    /// <param name="values">By column; of absent columns they mean nothing.</param>
    /// <param name="present">Bit i: column i has a value.</param>
    /// <param name="refused">How many columns were taken out.</param>
    /// <param name="firstRefused">The first of them; -1: none.</param>
    internal ReadOnlySpan<ulong> Pass(ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, out int refused, out int firstRefused)
    {
        refused = 0;
        firstRefused = -1;
        if (AreAllPossible(values))
        {
            return present;
        }

        PassByColumn(values, present, ref refused, ref firstRefused);
        return _passing;
    }

    private bool AreAllPossible(ReadOnlySpan<double> values)
    {
        int i = 0;
        Vector<double> most = new(double.MaxValue);
        for (; i <= values.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            Vector<double> value = new(values[i..]);
            Vector<long> possible = Vector.GreaterThanOrEqual(value, new Vector<double>(_least, i)) & Vector.LessThanOrEqual(value, most);
            if (!Vector.EqualsAll(possible, Vector<long>.AllBitsSet))
            {
                return false;
            }
        }

        for (; i < values.Length; i++)
        {
            if (!IsPossible(values[i], _least[i]))
            {
                return false;
            }
        }

        return true;
    }

    private void PassByColumn(ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ref int refused, ref int firstRefused)
    {
        present.CopyTo(_passing);
        for (int column = 0; column < values.Length; column++)
        {
            ulong bit = 1UL << (column & 63);
            if ((_passing[column >> 6] & bit) != 0 && !IsPossible(values[column], _least[column]))
            {
                _passing[column >> 6] &= ~bit;
                firstRefused = refused++ == 0 ? column : firstRefused;
            }
        }
    }

    // NaN fails both comparisons.
    private static bool IsPossible(double value, double least) => value >= least && value <= double.MaxValue;
}
