using System.Runtime.CompilerServices;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// The columns of one sampler and their values at this tick. Columns are added at start-up and after <see cref="Rebuild"/>;
/// each such change raises <see cref="Version"/>, which tells the uplink to register a new schema.
/// Not thread-safe: owned by the thread that samples.
/// </summary>
public sealed class SeriesTable
{
    private readonly List<SeriesDefinition> _definitions = [];
    private double[] _values = [];
    private ulong[] _present = [];
    private SeriesTable? _copiedFrom;
    private int _copiedVersion;

    /// <summary>Grows with every change of the columns; 0 while there are none.</summary>
    public int Version { get; private set; }

    /// <summary>Number of columns.</summary>
    public int Count => _definitions.Count;

    public IReadOnlyList<SeriesDefinition> Definitions => _definitions;

    /// <summary>Values by column; only those whose bit in <see cref="Present"/> is set mean anything.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, _definitions.Count);

    /// <summary>Bit <c>i % 64</c> of word <c>i / 64</c>: column i has a value at this tick.</summary>
    public ReadOnlySpan<ulong> Present => _present.AsSpan(0, (_definitions.Count + 63) / 64);

    /// <summary>Adds a column and returns its index. Allocates: for start-up and device changes, not for the tick.</summary>
    public int Add(MetricDefinition metric, params ReadOnlySpan<Label> labels) =>
        AddDefinition(new SeriesDefinition(metric, labels.ToArray()));

    private int AddDefinition(SeriesDefinition definition)
    {
        _definitions.Add(definition);
        if (_definitions.Count > _values.Length)
        {
            int capacity = Math.Max(16, _values.Length * 2);
            Array.Resize(ref _values, capacity);
            Array.Resize(ref _present, (capacity + 63) / 64);
        }

        Version++;
        return _definitions.Count - 1;
    }

    /// <summary>Forgets all columns, so that they can be added again as the source now is.</summary>
    public void Rebuild()
    {
        _definitions.Clear();
        Array.Clear(_present);
        Version++;
    }

    /// <summary>Sets the value of a column for this tick.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int column, double value)
    {
        _values[column] = value;
        _present[column >> 6] |= 1UL << (column & 63);
    }

    /// <summary>Whether the column has a value at this tick.</summary>
    public bool IsPresent(int column) => (_present[column >> 6] & (1UL << (column & 63))) != 0;

    /// <summary>Forgets all values; the runner calls it before each <see cref="ISampler.Sample"/>.</summary>
    public void ClearValues() => Array.Clear(_present);

    /// <summary>
    /// Takes over columns (only where they changed) and values of another table; how values cross from one thread to another.
    /// </summary>
    public void CopyFrom(SeriesTable source)
    {
        if (!ReferenceEquals(_copiedFrom, source) || _copiedVersion != source.Version)
        {
            TakeColumns(source._definitions);
            _copiedFrom = source;
            _copiedVersion = source.Version;
        }

        source.Values.CopyTo(_values);
        source.Present.CopyTo(_present);
    }

    // Another table may have the very same columns, as a copy of the same source has: then nothing is new to anybody.
    private void TakeColumns(List<SeriesDefinition> definitions)
    {
        bool isSame = definitions.Count == _definitions.Count;
        for (int i = 0; isSame && i < definitions.Count; i++)
        {
            isSame = ReferenceEquals(definitions[i], _definitions[i]);
        }

        if (isSame)
        {
            return;
        }

        Rebuild();
        foreach (SeriesDefinition definition in definitions)
        {
            AddDefinition(definition);
        }
    }
}
