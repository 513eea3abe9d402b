namespace NodeAgent.Tsdb.Live;

/// <summary>The columns of one schema that one subscription wants. Its times belong to the schema's writer.</summary>
internal sealed class LiveTap
{
    private readonly int[] _columns;
    private readonly int[] _indices;
    private readonly SeriesInfo[] _series;
    private readonly long[] _nextUnixMs;

    private LiveTap(LiveSubscription subscription, int[] columns, SeriesInfo[] series)
    {
        Subscription = subscription;
        _columns = columns;
        _series = series;
        _indices = new int[columns.Length];
        for (int i = 0; i < columns.Length; i++)
        {
            _indices[i] = subscription.IndexOf(series[i]);
        }

        _nextUnixMs = subscription.MinIntervalMs > 0 ? new long[columns.Length] : [];
        Array.Fill(_nextUnixMs, long.MinValue);
    }

    public LiveSubscription Subscription { get; }

    /// <summary>The tap of a subscription on a schema, or null where nothing matches.</summary>
    public static LiveTap? Create(LiveSubscription subscription, IReadOnlyList<SeriesInfo> schema)
    {
        List<int> columns = [];
        List<SeriesInfo> series = [];
        for (int i = 0; i < schema.Count; i++)
        {
            if (subscription.Selector.Matches(schema[i]))
            {
                columns.Add(i);
                series.Add(schema[i]);
            }
        }

        return columns.Count == 0 ? null : new LiveTap(subscription, [.. columns], [.. series]);
    }

    /// <summary>Pushes what is present and due; the subscription's gate is held.</summary>
    public void CopyInto(LiveSubscription subscription, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        for (int i = 0; i < _columns.Length; i++)
        {
            int column = _columns[i];
            if ((present[column >> 6] & (1UL << (column & 63))) == 0)
            {
                continue;
            }

            if (_nextUnixMs.Length > 0)
            {
                if (unixMs < _nextUnixMs[i])
                {
                    continue;
                }

                _nextUnixMs[i] = unixMs + subscription.MinIntervalMs;
            }

            subscription.PushNeedsLock(new LiveSample(_indices[i], _series[i], unixMs, values[column]));
        }
    }
}
