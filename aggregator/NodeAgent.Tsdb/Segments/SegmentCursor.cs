using System.Buffers;
using System.IO.Compression;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// One reader's place in one segment. Series that are asked for in the order of the file (a metric's, by id) are read in long stretches;
/// any other order works and reads more often. What is damaged is left out and counted. Not thread-safe.
/// </summary>
internal sealed class SegmentCursor : IDisposable
{
    private const int TimeSlots = 16; // time columns kept; neighbours in the file nearly always share theirs

    private readonly SegmentFile _file;
    private readonly IScanMeter? _meter;
    private readonly FileWindow _pages;
    private readonly FileWindow _data;
    private readonly FileWindow _timeData;
    private readonly RunEntry[] _entries = new RunEntry[SegmentFormat.PageEntries];
    private readonly RunEntry[] _timeEntries = new RunEntry[SegmentFormat.PageEntries];
    private readonly (int Number, TimeColumn? Column)[] _times = new (int, TimeColumn?)[TimeSlots];
    private int _page = -1;
    private int _entryCount;
    private int _timePage = -1;
    private int _timeEntryCount;
    private byte[] _unpacked = [];

    /// <param name="file">The segment.</param>
    /// <param name="counters">Of the store.</param>
    /// <param name="meter">Is told of each chunk of samples before it is decoded; null: nobody counts.</param>
    public SegmentCursor(SegmentFile file, ReadCounters counters, IScanMeter? meter = null)
    {
        _file = file;
        _meter = meter;
        _pages = new FileWindow(file, counters);
        _data = new FileWindow(file, counters);
        _timeData = new FileWindow(file, counters);
    }

    public SegmentFile File => _file;

    /// <summary>Stretches that this cursor could not give out.</summary>
    public int Failures { get; private set; }

    /// <summary>Appends what a raw segment has of a series in a time range, a run per chunk.</summary>
    public void Read(int metricId, int seriesId, long fromUnixMs, long toUnixMs, SampleBuffer buffer, RunMerge runs)
    {
        int page = _file.FindPage(metricId, seriesId);
        for (; page >= 0 && page < _file.PageCount; page++)
        {
            ref readonly SegmentFile.Page place = ref _file.PageAt(page);
            if (place.MetricId != metricId || place.FirstSeriesId > seriesId || !TryLoad(page, _entries, ref _page, ref _entryCount))
            {
                return;
            }

            for (int i = FirstAtOrAfter(_entries.AsSpan(0, _entryCount), seriesId); i < _entryCount; i++)
            {
                if (_entries[i].SeriesId != seriesId)
                {
                    return;
                }

                ReadRun(_entries[i], fromUnixMs, toUnixMs, buffer, runs);
            }
        }
    }

    /// <summary>
    /// The bytes of each run of a series and the time column they belong to, for those who read them in their own way. False: no more.
    /// </summary>
    public bool TryFind(int metricId, int seriesId, out ReadOnlySpan<byte> run, out TimeColumn? column)
    {
        run = default;
        column = null;
        int page = _file.FindPage(metricId, seriesId);
        if (page < 0 || !TryLoad(page, _entries, ref _page, ref _entryCount))
        {
            return false;
        }

        int at = FirstAtOrAfter(_entries.AsSpan(0, _entryCount), seriesId);
        if (at == _entryCount || _entries[at].SeriesId != seriesId)
        {
            return false;
        }

        column = TimeColumnOf(_entries[at].TimeColumn);
        return column is not null && TryGetRun(_entries[at], out run);
    }

    /// <summary>The entries of a page, for walks over the whole segment. Empty: the page is damaged.</summary>
    public ReadOnlySpan<RunEntry> EntriesOf(int page) =>
        TryLoad(page, _entries, ref _page, ref _entryCount) ? _entries.AsSpan(0, _entryCount) : [];

    /// <summary>Whether a run's bytes are what was written.</summary>
    public bool Verify(in RunEntry entry) => TryGetRun(entry, out _);

    public void Dispose()
    {
        _pages.Dispose();
        _data.Dispose();
        _timeData.Dispose();
        if (_unpacked.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_unpacked);
            _unpacked = [];
        }
    }

    private void ReadRun(in RunEntry entry, long fromUnixMs, long toUnixMs, SampleBuffer buffer, RunMerge runs)
    {
        if (TimeColumnOf(entry.TimeColumn) is not { } column || !TryGetRun(entry, out ReadOnlySpan<byte> run))
        {
            return;
        }

        ChunkReader reader = new(run);
        for (int i = 0; i < column.Count; i++)
        {
            int length = checked((int)reader.ReadUnsigned());
            ReadOnlySpan<byte> chunk = reader.Take(length);
            ref readonly TimeColumn.Chunk place = ref column[i];
            if (length > 0 && place.LastUnixMs >= fromUnixMs && place.FirstUnixMs <= toUnixMs)
            {
                int start = buffer.Count;
                _meter?.Take(place.Rows);
                if (ColumnCodec.IsWhole(chunk))
                {
                    ColumnCodec.DecodeWhole(chunk, buffer.TailShared(column, i, fromUnixMs, toUnixMs));
                    buffer.CommitShared();
                }
                else
                {
                    buffer.Tail(place.Rows, out Span<long> times, out Span<double> values);
                    column.TimesOf(i).CopyTo(times);
                    buffer.Commit(ColumnCodec.Decode(chunk, times, values, fromUnixMs, toUnixMs));
                }

                runs.Note(start, buffer);
            }
        }
    }

    private bool TryGetRun(in RunEntry entry, out ReadOnlySpan<byte> run)
    {
        if (!_data.TryGet(entry.Offset, entry.Length, entry.Checksum, out run))
        {
            Failures++;
            return false;
        }

        if (entry.Packing == RunPacking.Brotli)
        {
            run = Unpack(run);
        }

        return true;
    }

    /// <summary>Layout: unpacked length as LEB128, then Brotli.</summary>
    private ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> packed)
    {
        ChunkReader reader = new(packed);
        int length = checked((int)reader.ReadUnsigned());
        if (_unpacked.Length < length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(length);
            if (_unpacked.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_unpacked);
            }

            _unpacked = larger;
        }

        return BrotliDecoder.TryDecompress(reader.Rest, _unpacked, out int written) && written == length
            ? _unpacked.AsSpan(0, length)
            : throw new InvalidDataException($"A run of segment {_file.Info.FileName} cannot be unpacked, though its checksum holds.");
    }

    private TimeColumn? TimeColumnOf(int number)
    {
        ref (int Number, TimeColumn? Column) slot = ref _times[number & (TimeSlots - 1)];
        if (slot.Column is null || slot.Number != number)
        {
            slot = (number, ReadTimeColumn(number));
        }

        return slot.Column;
    }

    private TimeColumn? ReadTimeColumn(int number)
    {
        int page = _file.FindPage(SegmentFormat.TimeMetric, number);
        if (page >= 0 && TryLoad(page, _timeEntries, ref _timePage, ref _timeEntryCount))
        {
            int at = FirstAtOrAfter(_timeEntries.AsSpan(0, _timeEntryCount), number);
            if (at < _timeEntryCount && _timeEntries[at].SeriesId == number
                && _timeData.TryGet(_timeEntries[at].Offset, _timeEntries[at].Length, _timeEntries[at].Checksum, out ReadOnlySpan<byte> run))
            {
                return TimeColumn.Parse(run);
            }
        }

        Failures++;
        return null;
    }

    private bool TryLoad(int page, RunEntry[] entries, ref int loaded, ref int count)
    {
        if (page == loaded)
        {
            return true;
        }

        ref readonly SegmentFile.Page place = ref _file.PageAt(page);
        loaded = -1;
        if (place.Entries > entries.Length || !_pages.TryGet(place.Offset, place.Bytes, place.Checksum, out ReadOnlySpan<byte> bytes))
        {
            Failures++;
            return false;
        }

        ChunkReader reader = new(bytes);
        int series = place.FirstSeriesId;
        int timeColumn = 0;
        long offset = place.DataOffset;
        for (int i = 0; i < place.Entries; i++)
        {
            series += checked((int)reader.ReadUnsigned());
            timeColumn += checked((int)reader.ReadSigned());
            ulong length = reader.ReadUnsigned();
            entries[i] = new RunEntry(series, timeColumn, offset, checked((int)(length >> 2)), (RunPacking)(length & 3), reader.ReadUInt32());
            offset += entries[i].Length;
        }

        loaded = page;
        count = place.Entries;
        return true;
    }

    private static int FirstAtOrAfter(ReadOnlySpan<RunEntry> entries, int seriesId)
    {
        int low = 0;
        int high = entries.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (entries[middle].SeriesId < seriesId)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
