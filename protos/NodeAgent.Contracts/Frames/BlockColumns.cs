using System.Runtime.CompilerServices;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Contracts.Frames;

/// <summary>
/// What both ends of the block codec remember of one schema's columns. Encoder and decoder apply the same steps to the same
/// history, so they always predict the same value; docs/formats/frame.md draws the bytes and names every rule kept here.
/// </summary>
internal sealed class BlockColumns
{
    internal const byte KeyFlag = 1;
    internal const byte AbsentFlag = 2;
    internal const byte RawFlag = 4;

    // Integers up to this magnitude survive the trip through a double; larger ones go raw.
    internal const double LargestExactInteger = 9007199254740992.0;

    private readonly bool[] _isCounter;
    private readonly long[] _previous;
    private readonly long[] _trend;
    private readonly ulong[] _moving; // a bit per column: its next value may differ though nothing is said of it

    internal BlockColumns(IReadOnlyList<SeriesDefinition> series)
    {
        Count = series.Count;
        Scale = new double[Count];
        _isCounter = new bool[Count];
        _previous = new long[Count];
        _trend = new long[Count];
        _moving = new ulong[(Count + 63) / 64];
        for (int column = 0; column < Count; column++)
        {
            Scale[column] = series[column].Scale;
            _isCounter[column] = series[column].Kind == MetricKind.Counter && series[column].Scale > 0;
        }
    }

    internal int Count { get; }

    /// <summary>0 for a column that keeps every bit of its double.</summary>
    internal double[] Scale { get; }

    internal int BitmapBytes => (Count + 7) / 8;

    /// <summary>Columns of which a code of 0 may mean another value than the one before; 64 to a word.</summary>
    internal ReadOnlySpan<ulong> Moving => _moving;

    internal void Reset()
    {
        Array.Clear(_previous);
        Array.Clear(_trend);
        Array.Clear(_moving);
    }

    internal long Predict(int column) => unchecked(_previous[column] + _trend[column]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Learn(int column, long value)
    {
        long delta = unchecked(value - _previous[column]);
        _previous[column] = value;
        if (!_isCounter[column])
        {
            return;
        }

        // A counter that rests is predicted to rest: most counters of a host move rarely. One that moved twice in a row is
        // predicted to go on by a running mean of its steps; a quarter weight halves the noise that the last step alone adds.
        ref ulong moving = ref _moving[column >> 6];
        ulong bit = 1UL << (column & 63);
        if (delta == 0)
        {
            _trend[column] = 0;
            moving &= ~bit;
        }
        else if ((moving & bit) == 0)
        {
            moving |= bit;
        }
        else
        {
            long trend = _trend[column];
            _trend[column] = trend == 0 ? delta : unchecked(trend + ((delta - trend) >> 2));
        }
    }
}
