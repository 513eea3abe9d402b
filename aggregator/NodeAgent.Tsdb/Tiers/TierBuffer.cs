namespace NodeAgent.Tsdb.Tiers;

/// <summary>
/// Rows of a tier: what the samples of one series in <c>(end - bucket, end]</c> come to. NaN samples are not counted. Grows, and is reused
/// from series to series.
/// </summary>
internal sealed class TierBuffer
{
    private TierRow[] _rows = new TierRow[256];

    public int Count { get; private set; }

    /// <summary>Ascending by end; a bucket without a sample has no row.</summary>
    public ReadOnlySpan<TierRow> Rows => _rows.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Truncate(int count) => Count = count;

    /// <summary>The rows from an index on, for filling in.</summary>
    public Span<TierRow> Writable(int from) => _rows.AsSpan(from, Count - from);

    public ref TierRow Add()
    {
        if (Count == _rows.Length)
        {
            Array.Resize(ref _rows, Count * 2);
        }

        return ref _rows[Count++];
    }
}

/// <summary>One bucket of one series.</summary>
internal record struct TierRow
{
    /// <summary>End of the bucket, inclusive.</summary>
    public long EndUnixMs { get; set; }

    /// <summary>Time of the oldest sample.</summary>
    public long FirstUnixMs { get; set; }

    /// <summary>Time of the newest sample.</summary>
    public long LastUnixMs { get; set; }

    /// <summary>Samples; at least 1.</summary>
    public long Count { get; set; }

    public double Min { get; set; }

    public double Max { get; set; }

    public double Sum { get; set; }

    /// <summary>The oldest sample; for counters only, else 0.</summary>
    public double First { get; set; }

    /// <summary>The newest sample.</summary>
    public double Last { get; set; }

    /// <summary>Sum of the values before each reset within the bucket; for counters only.</summary>
    public double Resets { get; set; }
}
