using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb.Index;

/// <summary>Identity of a series: its metric and its labels, <c>node</c> included.</summary>
internal readonly struct SeriesKey : IEquatable<SeriesKey>
{
    private readonly int _hash;

    public SeriesKey(string metric, Label[] labels)
    {
        Metric = metric;
        Labels = labels;
        HashCode hash = default;
        hash.Add(metric, StringComparer.Ordinal);
        foreach (ref readonly Label label in labels.AsSpan())
        {
            hash.Add(label.Name, StringComparer.Ordinal);
            hash.Add(label.Value, StringComparer.Ordinal);
        }

        _hash = hash.ToHashCode();
    }

    public string Metric { get; }

    public Label[] Labels { get; }

    public bool Equals(SeriesKey other) =>
        _hash == other._hash && Metric == other.Metric && Labels.AsSpan().SequenceEqual(other.Labels);

    public override bool Equals(object? obj) => obj is SeriesKey other && Equals(other);

    public override int GetHashCode() => _hash;
}
