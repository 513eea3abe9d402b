using NodeAgent.Contracts.Metrics;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Tiers;

/// <summary>
/// The rows of a tier in a segment. What comes of the times alone (ends, first and last times, counts) is a time column, which series
/// with the same samples share. A series' run has a chunk for each of the column's: flags, then the values as columns.
/// Gauges: min, max, sum, last. Counters: first, last, sum, and where one was reset also resets, min and max; a counter that only rises
/// has its first as min and its last as max.
/// </summary>
internal static class TierCodec
{
    [Flags]
    private enum Flag : byte
    {
        Counter = 1,
        Resets = 2,
        NaN = 4,
    }

    /// <summary>Writes the time column's bytes for some rows: four integer columns.</summary>
    public static void EncodeTimes(ReadOnlySpan<TierRow> rows, ChunkWriter writer)
    {
        Span<long> column = stackalloc long[rows.Length];
        Encode(rows, column, writer, row => row.EndUnixMs);
        Encode(rows, column, writer, row => row.EndUnixMs - row.FirstUnixMs);
        Encode(rows, column, writer, row => row.EndUnixMs - row.LastUnixMs);
        Encode(rows, column, writer, row => row.Count);
    }

    /// <summary>Writes a series' chunk.</summary>
    public static void EncodeValues(ReadOnlySpan<TierRow> rows, MetricKind kind, uint scale, bool anyNaN, ChunkWriter writer)
    {
        Flag flags = (kind == MetricKind.Counter ? Flag.Counter : 0) | (anyNaN ? Flag.NaN : 0);
        foreach (ref readonly TierRow row in rows)
        {
            flags |= kind == MetricKind.Counter && (row.Resets != 0 || row.Min != row.First || row.Max != row.Last) ? Flag.Resets : 0;
        }

        writer.WriteByte((byte)flags);
        Span<double> column = stackalloc double[rows.Length];
        if ((flags & Flag.Counter) == 0)
        {
            Encode(rows, column, scale, writer, row => row.Min);
            Encode(rows, column, scale, writer, row => row.Max);
            Encode(rows, column, scale, writer, row => row.Sum);
            Encode(rows, column, scale, writer, row => row.Last);
            return;
        }

        Encode(rows, column, scale, writer, row => row.First);
        Encode(rows, column, scale, writer, row => row.Last);
        Encode(rows, column, scale, writer, row => row.Sum);
        if ((flags & Flag.Resets) != 0)
        {
            Encode(rows, column, scale, writer, row => row.Resets);
            Encode(rows, column, scale, writer, row => row.Min);
            Encode(rows, column, scale, writer, row => row.Max);
        }
    }

    /// <summary>Appends the rows of a run whose ends lie in (from, to]. Returns whether a NaN sample was left out of any chunk read.</summary>
    public static bool Decode(ReadOnlySpan<byte> run, TimeColumn column, long fromUnixMs, long toUnixMs, TierBuffer into)
    {
        bool anyNaN = false;
        ChunkReader reader = new(run);
        Span<double> values = stackalloc double[IntegerCodec.MaxCount];
        for (int i = 0; i < column.Count; i++)
        {
            ReadOnlySpan<byte> chunk = reader.Take(checked((int)reader.ReadUnsigned()));
            ref readonly TimeColumn.Chunk place = ref column[i];
            if (place.LastUnixMs > fromUnixMs && place.FirstUnixMs <= toUnixMs)
            {
                anyNaN |= DecodeChunk(chunk, column.TierTimesOf(i), values[..place.Rows], fromUnixMs, toUnixMs, into);
            }
        }

        return anyNaN;
    }

    private static bool DecodeChunk(
        ReadOnlySpan<byte> chunk, TierTimes times, Span<double> values, long fromUnixMs, long toUnixMs, TierBuffer into)
    {
        ChunkReader reader = new(chunk);
        Flag flags = (Flag)reader.ReadByte();
        int start = TimeSearch.FirstAfter(times.Ends, fromUnixMs);
        int end = TimeSearch.FirstAfter(times.Ends, toUnixMs);
        int at = into.Count;
        for (int i = start; i < end; i++)
        {
            into.Add() = new TierRow
            {
                EndUnixMs = times.Ends[i],
                FirstUnixMs = times.Ends[i] - times.Firsts[i],
                LastUnixMs = times.Ends[i] - times.Lasts[i],
                Count = times.Counts[i],
                First = double.NaN, // unless the series was a counter when the row was made
            };
        }

        if (end <= start)
        {
            return false;
        }

        Span<TierRow> rows = into.Writable(at);
        if ((flags & Flag.Counter) == 0)
        {
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Min = value);
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Max = value);
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Sum = value);
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Last = value);
            return (flags & Flag.NaN) != 0;
        }

        Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Min = row.First = value);
        Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Max = row.Last = value);
        Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Sum = value);
        if ((flags & Flag.Resets) != 0)
        {
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Resets = value);
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Min = value);
            Read(ref reader, values, rows, start, (ref TierRow row, double value) => row.Max = value);
        }

        return (flags & Flag.NaN) != 0;
    }

    private delegate void Setter(ref TierRow row, double value);

    private static void Read(ref ChunkReader reader, Span<double> values, Span<TierRow> rows, int start, Setter set)
    {
        ValueCodec.Decode(ref reader, values);
        for (int i = 0; i < rows.Length; i++)
        {
            set(ref rows[i], values[start + i]);
        }
    }

    private static void Encode(ReadOnlySpan<TierRow> rows, Span<long> column, ChunkWriter writer, Func<TierRow, long> get)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            column[i] = get(rows[i]);
        }

        IntegerCodec.Encode(column, writer);
    }

    private static void Encode(ReadOnlySpan<TierRow> rows, Span<double> column, uint scale, ChunkWriter writer, Func<TierRow, double> get)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            column[i] = get(rows[i]);
        }

        ValueCodec.Encode(column, scale, writer);
    }
}

/// <summary>What a tier's time column says of the rows of one chunk; times as distances before the end.</summary>
internal sealed record TierTimes(long[] Ends, long[] Firsts, long[] Lasts, long[] Counts);
