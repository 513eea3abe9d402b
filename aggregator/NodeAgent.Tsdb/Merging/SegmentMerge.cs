using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Index;
using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Storage;

namespace NodeAgent.Tsdb.Merging;

/// <summary>
/// Merges all raw segments of a window of time into one, series by series in the order of the files, and makes the window's tiers from
/// the same samples. A sample that was written twice is left once. Memory is what one series has in the window.
/// </summary>
internal sealed class SegmentMerge(SegmentStore store, SeriesRegistry registry, Func<bool> isStopping)
{
    public const long MinuteMs = 60_000;
    public const long HourMs = 3_600_000;

    /// <summary>Returns false where the disk refused, a file could not be read, or the store is being closed; nothing has changed then.</summary>
    public bool Run(MergeJob job)
    {
        SegmentSet set = store.Sets.Lease();
        try
        {
            SegmentFile[] inputs = [.. set.Raw.Where(file => job.Covers(file.Info))];
            if (inputs.Length == 0)
            {
                return true;
            }

            long sequence = inputs[^1].Info.Sequence;
            RawOutput raw = new(store.Create(SegmentKind.Raw, job.Level, sequence, job.StartUnixMs, job.EndUnixMs), job.Pack);
            TierOutput minutes = new(store.Create(SegmentKind.Minute, job.Level, sequence, job.StartUnixMs, job.EndUnixMs), MinuteMs, job.Pack);
            TierOutput hours = new(store.Create(SegmentKind.Hour, job.Level, sequence, job.StartUnixMs, job.EndUnixMs), HourMs, job.Pack);
            if (!Copy(inputs, raw, minutes, hours))
            {
                raw.Writer.Abandon();
                minutes.Writer.Abandon();
                hours.Writer.Abandon();
                return false;
            }

            return Finish(set, job, raw, minutes, hours);
        }
        finally
        {
            set.Release();
        }
    }

    private bool Finish(SegmentSet set, MergeJob job, RawOutput raw, TierOutput minutes, TierOutput hours)
    {
        List<SegmentInfo> added = [];
        foreach ((SegmentInfo? info, SegmentWriter writer) in
            ((SegmentInfo?, SegmentWriter)[])[(raw.Finish(), raw.Writer), (minutes.Finish(), minutes.Writer), (hours.Finish(), hours.Writer)])
        {
            if (info is not null)
            {
                added.Add(info);
            }
            else
            {
                store.Fail(writer.Error!, []);
            }
        }

        if (added.Count < 3)
        {
            store.Fail(store.LastError!, added);
            return false;
        }

        // Tiers of the window's parts go with them; flushes since the beginning of the merge are not in the set and stay.
        long[] removed = [.. set.All.Where(file => job.Covers(file.Info)).Select(file => file.Info.Number)];
        return store.Publish(new Publication { Added = added, Removed = removed }) == PublicationResult.Done;
    }

    private bool Copy(SegmentFile[] inputs, RawOutput raw, TierOutput minutes, TierOutput hours)
    {
        long unreadable = store.Reads.Unreadable;
        Walk[] walks = [.. inputs.Select(file => new Walk(new SegmentCursor(file, store.Reads)))];
        using RunMerge runs = new();
        using SampleBuffer samples = new();
        try
        {
            while (TryFindNext(walks, out int metricId, out int seriesId))
            {
                samples.Clear();
                runs.Clear();
                foreach (Walk walk in walks)
                {
                    walk.Take(metricId, seriesId, samples, runs);
                }

                runs.Finish(samples);
                if (samples.Count > 0 && registry.Find(seriesId) is { } series)
                {
                    (int timeColumn, long scale) = raw.Add(series, samples);
                    minutes.Add(series, samples, timeColumn, scale);
                    hours.Add(series, samples, timeColumn, scale);
                }

                // What a sick disk does not give now it may give later; a merge without it would be for good.
                if (store.Reads.Unreadable != unreadable || raw.Writer.Error is not null || isStopping())
                {
                    return raw.Writer.Error is not null; // Finish says what it was
                }
            }

            return true;
        }
        finally
        {
            foreach (Walk walk in walks)
            {
                walk.Dispose();
            }
        }
    }

    private static bool TryFindNext(Walk[] walks, out int metricId, out int seriesId)
    {
        (metricId, seriesId) = (SegmentFormat.TimeMetric, int.MaxValue);
        foreach (Walk walk in walks)
        {
            if (walk.MetricId < metricId || (walk.MetricId == metricId && walk.SeriesId < seriesId))
            {
                (metricId, seriesId) = (walk.MetricId, walk.SeriesId);
            }
        }

        return metricId != SegmentFormat.TimeMetric;
    }

    /// <summary>Goes through the keys of one segment.</summary>
    private sealed class Walk : IDisposable
    {
        private readonly SegmentCursor _cursor;
        private int _page;
        private int _at = -1;

        public Walk(SegmentCursor cursor)
        {
            _cursor = cursor;
            Advance();
        }

        /// <summary><see cref="SegmentFormat.TimeMetric"/>: there is no more.</summary>
        public int MetricId { get; private set; }

        public int SeriesId { get; private set; }

        /// <summary>Adds the samples of a key if it is this walk's, and goes on.</summary>
        public void Take(int metricId, int seriesId, SampleBuffer samples, RunMerge runs)
        {
            if (MetricId != metricId || SeriesId != seriesId)
            {
                return;
            }

            _cursor.Read(metricId, seriesId, long.MinValue, long.MaxValue, samples, runs);
            while (MetricId == metricId && SeriesId == seriesId)
            {
                Advance();
            }
        }

        public void Dispose() => _cursor.Dispose();

        private void Advance()
        {
            for (_at++; _page < _cursor.File.PageCount; _page++, _at = 0)
            {
                ref readonly SegmentFile.Page page = ref _cursor.File.PageAt(_page);
                if (page.MetricId == SegmentFormat.TimeMetric)
                {
                    break;
                }

                ReadOnlySpan<RunEntry> entries = _cursor.EntriesOf(_page);
                if (_at < entries.Length)
                {
                    (MetricId, SeriesId) = (page.MetricId, entries[_at].SeriesId);
                    return;
                }
            }

            MetricId = SegmentFormat.TimeMetric;
        }
    }
}

/// <summary>A window of time whose segments are to become one.</summary>
/// <param name="Level">Of the result.</param>
/// <param name="StartUnixMs">Exclusive.</param>
/// <param name="EndUnixMs">Inclusive.</param>
/// <param name="Pack">Whether runs are packed with Brotli.</param>
internal readonly record struct MergeJob(SegmentLevel Level, long StartUnixMs, long EndUnixMs, bool Pack)
{
    /// <summary>Whether a segment lies wholly in the window.</summary>
    public bool Covers(SegmentInfo info) => info.WindowStartUnixMs >= StartUnixMs && info.WindowEndUnixMs <= EndUnixMs;
}
