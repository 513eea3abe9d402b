using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Merges the blocks of one schema over a window: of every series the last value, of gauges also minimum, maximum and average. Blocks that come
/// as seldom as the window is long are passed on as they are.
/// </summary>
internal sealed class BlockWindow
{
    private readonly BlockDecoder _decoder;
    private readonly BlockEncoder _encoder;
    private readonly int[] _gauges; // own columns, in the order of their statistics
    private readonly long[] _valueCounts; // by own column: values merged
    private readonly double[] _sums; // by gauge, of values times weight
    private readonly double[] _weights;
    private readonly double[] _values; // of the merged block, by target column
    private readonly ulong[] _present;

    internal BlockWindow(SchemaShape source, SchemaShape target)
    {
        Source = source;
        Target = target;
        _decoder = new BlockDecoder(source.Series);
        _encoder = new BlockEncoder(target.Series);
        _gauges = target.HasStats ? [.. Enumerable.Range(0, source.OwnColumns).Where(i => source.Series[i].Kind == MetricKind.Gauge)] : [];
        _valueCounts = new long[source.OwnColumns];
        _sums = new double[_gauges.Length];
        _weights = new double[_gauges.Length];
        _values = new double[target.Series.Length];
        _present = new ulong[(target.Series.Length + 63) / 64];
    }

    internal SchemaShape Source { get; }

    internal SchemaShape Target { get; }

    internal bool IsEmpty { get; private set; } = true;

    /// <summary>Samples that the merged block no longer has, since there was a later one in the window.</summary>
    internal ulong MergedSamples { get; private set; }

    /// <summary>Reads a block, so that the next one can be read; to count, it must be added.</summary>
    internal bool TryDecode(ReadOnlySpan<byte> payload) => _decoder.Decode(payload) == BlockError.None;

    /// <summary>The next blocks build on one that is not there.</summary>
    internal void Lose() => _decoder.Lose();

    /// <summary>Samples of the block read last.</summary>
    internal int DecodedSamples()
    {
        int count = 0;
        for (int column = 0; column < Source.OwnColumns; column++)
        {
            count += IsPresent(_decoder.Present, column) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Adds the block that was read last.</summary>
    /// <param name="weight">Records that it stands for: how much its averages count.</param>
    internal void Add(uint weight)
    {
        IsEmpty = false;
        ReadOnlySpan<double> values = _decoder.Values;
        ReadOnlySpan<ulong> present = _decoder.Present;
        for (int column = 0; column < Source.OwnColumns; column++)
        {
            if (IsPresent(present, column))
            {
                _values[column] = values[column];
                _present[column >> 6] |= 1UL << (column & 63);
                MergedSamples += _valueCounts[column]++ > 0 ? 1UL : 0;
            }
        }

        for (int gauge = 0; gauge < _gauges.Length; gauge++)
        {
            AddGauge(gauge, values, present, weight);
        }
    }

    /// <summary>The merged block; begins the next window.</summary>
    internal ReadOnlySpan<byte> Take(bool key)
    {
        for (int gauge = 0; gauge < _gauges.Length; gauge++)
        {
            if (_weights[gauge] > 0)
            {
                _values[StatColumn(gauge) + 2] = _sums[gauge] / _weights[gauge];
            }
        }

        if (key)
        {
            _encoder.Reset();
        }

        ReadOnlySpan<byte> block = _encoder.Encode(_values, _present);
        Clear();
        return block;
    }

    /// <summary>The next merged block can be read without those before it.</summary>
    internal void RestartEncoder() => _encoder.Reset();

    private void Clear()
    {
        IsEmpty = true;
        MergedSamples = 0;
        Array.Clear(_present);
        Array.Clear(_valueCounts);
        Array.Clear(_sums);
        Array.Clear(_weights);
    }

    private void AddGauge(int gauge, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, uint weight)
    {
        int own = _gauges[gauge];
        int stats = Source.HasStats ? Source.OwnColumns + (3 * gauge) : own;
        int step = Source.HasStats ? 1 : 0;
        if (!IsPresent(present, stats))
        {
            return;
        }

        int target = StatColumn(gauge);
        bool isFirst = _weights[gauge] == 0;
        _values[target] = isFirst ? values[stats] : Math.Min(_values[target], values[stats]);
        _values[target + 1] = isFirst ? values[stats + step] : Math.Max(_values[target + 1], values[stats + step]);
        _sums[gauge] += values[stats + (2 * step)] * weight;
        _weights[gauge] += weight;
        for (int i = 0; i < 3; i++)
        {
            _present[(target + i) >> 6] |= 1UL << ((target + i) & 63);
        }
    }

    private int StatColumn(int gauge) => Target.OwnColumns + (3 * gauge);

    private static bool IsPresent(ReadOnlySpan<ulong> present, int column) => (present[column >> 6] & (1UL << (column & 63))) != 0;
}
