using NodeAgent.Detection;
using NodeAgent.Detection.Incidents;
using NodeAgent.Detection.Watch;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using BookIncident = NodeAgent.Detection.Incidents.Incident;
using Finding = NodeAgent.Detection.Finding;
using MetricKind = NodeAgent.Contracts.Metrics.MetricKind;

namespace NodeAgent.Aggregator.Detection;

/// <summary>
/// Rules and lanes over stored samples, in the order of their times, as if they came now: what would have been found. Jobs and domains are
/// today's. Everything of it is its own; nothing that is live changes.
/// </summary>
internal sealed class HistoryScan(ISeriesReader store, DetectionSettings settings, LiveTopology topology, IncidentMapping mapping, Func<string, double> strictness)
{
    private const int MostSeries = 4_000;
    private const long MostSamples = 20_000_000;
    private const int LearnShare = 4; // a quarter of the range at most only teaches the lanes
    private const int MostIncidents = 1_000;

    private readonly Dictionary<(string Node, RuleFamily Family, string Device), WatchedDevice> _devices = [];
    private readonly Dictionary<string, int> _byCause = new(StringComparer.Ordinal);
    private readonly List<Finding> _findings = [];
    private readonly List<NodeAgent.Detection.Incidents.IncidentChange> _changes = [];
    private readonly HashSet<WatchedDevice> _touched = [];

    internal DetectResponse Run(Selector selector, long fromMs, long toMs, CancellationToken cancellation)
    {
        SeriesSelection selection = store.Select(selector, fromMs, toMs, MostSeries);
        if (selection.Total > MostSeries)
        {
            throw new QueryException(QueryErrorKind.InvalidArgument, $"{selection.Total} series match; at most {MostSeries} are looked at in one question");
        }

        int learn = (int)Math.Min(settings.LearnFor.TotalSeconds, (toMs - fromMs) / 1000.0 / LearnShare);
        WatchOptions options = new() { AlarmsPerSeriesDay = settings.AlarmsPerSeriesDay, LearnFor = learn };
        SeriesPages pages = new(long.MaxValue, options, strictness);
        IncidentBook book = new(topology);
        List<Track> tracks = [];
        try
        {
            long samples = Read(selection.Series, fromMs, toMs, pages, tracks, cancellation);
            Walk(tracks, pages, book, cancellation);
            return Report(book, tracks.Count, samples, fromMs, toMs);
        }
        finally
        {
            tracks.ForEach(track => track.Samples.Dispose());
        }
    }

    private long Read(SeriesInfo[] series, long fromMs, long toMs, SeriesPages pages, List<Track> tracks, CancellationToken cancellation)
    {
        long samples = 0;
        using ISampleReader reader = store.OpenReader();
        foreach (SeriesInfo one in series)
        {
            cancellation.ThrowIfCancellationRequested();
            Track track = Bind(one, pages);
            tracks.Add(track);
            reader.Read(one, fromMs, toMs, track.Samples);
            samples += track.Samples.Count;
            if (samples > MostSamples)
            {
                throw new QueryException(QueryErrorKind.TooManySamples, $"more than {MostSamples} samples; ask for fewer series or a shorter range");
            }
        }

        return samples;
    }

    private Track Bind(SeriesInfo series, SeriesPages pages)
    {
        string node = series.LabelValue(SeriesInfo.NodeLabel);
        RuleFamily family = RuleFamily.All.First(family => series.Metric.StartsWith(family.Prefix, StringComparison.Ordinal));
        string name = family.DeviceOf(series);
        int slot = family.SlotOf(series);
        WatchedDevice? device = null;
        if (slot >= 0 && !_devices.TryGetValue((node, family, name), out device))
        {
            _devices.Add((node, family, name), device = new WatchedDevice(family, node, name, strictness));
        }

        TimeSpan step = TimeSpan.FromMilliseconds(series.IntervalMs > 0 ? series.IntervalMs : 1000);
        pages.TryAdd(new Subject(node, name, series.Metric), SeriesStates.TraitsOf(series), step, out WatchedRow row);
        return new Track(row, series.Kind == MetricKind.Counter, device, slot, series.IntervalMs);
    }

    private void Walk(List<Track> tracks, SeriesPages pages, IncidentBook book, CancellationToken cancellation)
    {
        PriorityQueue<Track, long> next = new();
        tracks.Where(track => track.Samples.Count > 0).ToList().ForEach(track => next.Enqueue(track, track.Samples.Times[0]));
        long now = 0, advanced = 0;
        while (next.TryDequeue(out Track? track, out long at))
        {
            if (at != now)
            {
                Settle(book, now, ref advanced);
                cancellation.ThrowIfCancellationRequested();
                now = at;
            }

            double value = track.Samples.Values[track.At];
            if (track.Device is { } device)
            {
                device.Set(track.Slot, value, at, track.IntervalMs);
                _touched.Add(device);
            }

            if (track.Rate(value, at) is { } seen)
            {
                pages.Sample(track.Row, seen, at, _findings);
            }

            if (++track.At < track.Samples.Count)
            {
                next.Enqueue(track, track.Samples.Times[track.At]);
            }
        }

        Settle(book, now, ref advanced);
        book.Advance(now + 10_000, _changes);
    }

    private void Settle(IncidentBook book, long now, ref long advanced)
    {
        foreach (WatchedDevice device in _touched)
        {
            device.Look(now, _findings);
        }

        _touched.Clear();
        foreach (Finding finding in _findings)
        {
            _byCause[finding.Cause] = _byCause.GetValueOrDefault(finding.Cause) + (finding.Clears ? 0 : 1);
            book.Offer(finding, _changes);
        }

        _findings.Clear();
        if (now - advanced >= 1000)
        {
            advanced = now;
            book.Advance(now, _changes);
        }

        _changes.Clear();
    }

    private DetectResponse Report(IncidentBook book, int series, long samples, long fromMs, long toMs)
    {
        DetectResponse response = new() { Series = (uint)series, Samples = (ulong)samples, FromUnixMs = fromMs, ToUnixMs = toMs };
        foreach (BookIncident incident in book.Live.Concat(book.Resolved).OrderBy(incident => incident.Id).Take(MostIncidents))
        {
            response.Incidents.Add(mapping.ToWire(incident, withFindings: true, toMs));
        }

        double days = Math.Max((toMs - fromMs) / 86_400_000.0, 1e-9) * Math.Max(series, 1);
        response.Findings.AddRange(_byCause.Where(pair => pair.Value > 0).OrderByDescending(pair => pair.Value)
            .Select(pair => new DetectResponse.Types.KindCount { Cause = pair.Key, Findings = (uint)pair.Value, PerSeriesDay = pair.Value / days }));
        return response;
    }

    private sealed class Track(WatchedRow row, bool isCounter, WatchedDevice? device, int slot, int intervalMs)
    {
        private double _last = double.NaN;
        private long _lastMs;

        internal WatchedRow Row => row;

        internal WatchedDevice? Device => device;

        internal int Slot => slot;

        internal int IntervalMs => intervalMs;

        internal SampleBuffer Samples { get; } = new();

        internal int At { get; set; }

        /// <summary>The value of a gauge, the rate of a counter; null where there is none yet.</summary>
        internal double? Rate(double value, long unixMs)
        {
            if (!isCounter)
            {
                return value;
            }

            (double last, long lastMs, _last, _lastMs) = (_last, _lastMs, value, unixMs);
            return value >= last ? (value - last) * 1000 / (unixMs - lastMs) : null;
        }
    }
}
