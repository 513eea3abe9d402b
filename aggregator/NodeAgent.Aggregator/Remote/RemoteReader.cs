using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// Samples of one query. The first series that is read brings those of all that its question found: one request instead of a thousand.
/// </summary>
internal sealed class RemoteReader(IRemoteEngine engine, long maxSamples) : ISampleReader
{
    private readonly Dictionary<string, SampleBuffer> _samples = new(StringComparer.Ordinal);
    private Selector? _selector;
    private long _fromUnixMs;
    private long _toUnixMs;
    private long _count;

    /// <inheritdoc/>
    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        Selector selector = (Selector)((RemoteSeries)series).Selection;
        if (!ReferenceEquals(selector, _selector) || fromUnixMs < _fromUnixMs || toUnixMs > _toUnixMs)
        {
            Load(selector, fromUnixMs, toUnixMs);
        }

        if (!_samples.TryGetValue(series.ToString(), out SampleBuffer? samples))
        {
            return;
        }

        ReadOnlySpan<long> times = samples.Times;
        for (int i = 0; i < times.Length; i++)
        {
            // Sorted and each once by now; a range within what was loaded is a stretch of it.
            if (times[i] >= fromUnixMs && times[i] <= toUnixMs)
            {
                buffer.Add(times[i], samples.Values[i]);
            }
        }
    }

    /// <inheritdoc/>
    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value)
    {
        using SampleBuffer buffer = new();
        for (long backMs = series.StaleMs; buffer.Count == 0 && backMs < 1L << 46; backMs *= 10)
        {
            Read(series, toUnixMs - Math.Min(backMs, toUnixMs), toUnixMs, buffer);
        }

        bool found = buffer.Count > 0;
        unixMs = found ? buffer.Times[^1] : 0;
        value = found ? buffer.Values[^1] : 0;
        return found;
    }

    public void Dispose() => Clear();

    private void Load(Selector selector, long fromUnixMs, long toUnixMs)
    {
        Clear();
        Dictionary<string, SortedDictionary<long, double>> mixed = new(StringComparer.Ordinal);
        foreach (RemoteSamples samples in engine.Read(selector, fromUnixMs, toUnixMs))
        {
            _count += samples.UnixMs.Length;
            if (_count > maxSamples)
            {
                throw new QueryException(QueryErrorKind.TooManySamples, $"the query fetches more than {maxSamples} samples (remote_read.max_samples_millions)");
            }

            Add(SeriesDefinition.Format(samples.Name.Metric, samples.Name.Labels), samples, mixed);
        }

        foreach ((string name, SortedDictionary<long, double> sorted) in mixed)
        {
            SampleBuffer buffer = new();
            foreach ((long unixMs, double value) in sorted)
            {
                buffer.Add(unixMs, value);
            }

            _samples[name].Dispose();
            _samples[name] = buffer;
        }

        _selector = selector;
        _fromUnixMs = fromUnixMs;
        _toUnixMs = toUnixMs;
    }

    /// <summary>Stretches nearly always follow each other; only those that do not are sorted.</summary>
    private void Add(string name, RemoteSamples samples, Dictionary<string, SortedDictionary<long, double>> mixed)
    {
        if (!_samples.TryGetValue(name, out SampleBuffer? buffer))
        {
            _samples.Add(name, buffer = new SampleBuffer());
        }

        bool follows = !mixed.ContainsKey(name) && IsAscending(samples.UnixMs) && (buffer.Count == 0 || samples.UnixMs.Length == 0 || buffer.Times[^1] < samples.UnixMs[0]);
        if (follows)
        {
            buffer.Add(samples.UnixMs, samples.Values);
            return;
        }

        if (!mixed.TryGetValue(name, out SortedDictionary<long, double>? sorted))
        {
            mixed.Add(name, sorted = []);
            for (int i = 0; i < buffer.Count; i++)
            {
                sorted[buffer.Times[i]] = buffer.Values[i];
            }
        }

        for (int i = 0; i < samples.UnixMs.Length; i++)
        {
            sorted[samples.UnixMs[i]] = samples.Values[i];
        }
    }

    private static bool IsAscending(long[] times)
    {
        for (int i = 1; i < times.Length; i++)
        {
            if (times[i] <= times[i - 1])
            {
                return false;
            }
        }

        return true;
    }

    private void Clear()
    {
        foreach (SampleBuffer buffer in _samples.Values)
        {
            buffer.Dispose();
        }

        _samples.Clear();
        _count = 0;
        _selector = null;
    }
}
