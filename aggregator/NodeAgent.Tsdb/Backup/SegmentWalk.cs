using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// Reads a segment from its header to its trailer: each page and each run by its checksum, and whether they fill the file without gaps,
/// so that there is no byte that nothing vouches for.
/// </summary>
internal static class SegmentWalk
{
    /// <summary>Calls back for everything that is wrong, with its offset.</summary>
    public static void Check(SegmentFile file, Action<long, string> damage)
    {
        using SegmentCursor cursor = new(file, new ReadCounters());
        long expected = SegmentFormat.HeaderBytes;
        for (int page = 0; page < file.PageCount; page++)
        {
            SegmentFile.Page place = file.PageAt(page);
            if (expected >= 0 && place.DataOffset != expected)
            {
                damage(expected, $"page {page} begins its runs at byte {place.DataOffset}");
            }

            expected = CheckPage(cursor, page, place, damage);
        }

        if (expected >= 0 && file.PageCount > 0 && file.PageAt(0).Offset != expected)
        {
            damage(expected, $"the runs end here and the pages begin at byte {file.PageAt(0).Offset}");
        }

        CheckEnd(file, damage);
    }

    /// <summary>Where the page's runs end; -1: nobody knows.</summary>
    private static long CheckPage(SegmentCursor cursor, int page, SegmentFile.Page place, Action<long, string> damage)
    {
        RunEntry[] entries;
        try
        {
            entries = cursor.EntriesOf(page).ToArray();
        }
        catch (Exception e) when (e is InvalidDataException or IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            damage(place.Offset, $"page {page} makes no sense, though its checksum holds: {e.Message}");
            return -1;
        }

        if (entries.Length != place.Entries)
        {
            damage(place.Offset, $"page {page} does not verify; it has the places of {place.Entries} series");
            return -1;
        }

        foreach (RunEntry entry in entries)
        {
            CheckRun(cursor, entry, place.MetricId, damage);
        }

        return entries.Length == 0 ? place.DataOffset : entries[^1].Offset + entries[^1].Length;
    }

    private static void CheckRun(SegmentCursor cursor, RunEntry entry, int metric, Action<long, string> damage)
    {
        string what = metric == SegmentFormat.TimeMetric ? $"time column {entry.SeriesId}" : $"the run of series {entry.SeriesId}";
        try
        {
            if (!cursor.Verify(entry))
            {
                damage(entry.Offset, $"{what} ({entry.Length} bytes) does not verify");
            }
        }
        catch (InvalidDataException)
        {
            damage(entry.Offset, $"{what} ({entry.Length} bytes) cannot be unpacked, though its checksum holds");
        }
    }

    // The trailer's last four bytes come after its checksum.
    private static void CheckEnd(SegmentFile file, Action<long, string> damage)
    {
        Span<byte> end = stackalloc byte[4];
        IoResult read = file.Read(end, file.Info.Length - end.Length);
        if (!read.Ok || end.ContainsAnyExcept((byte)0))
        {
            damage(file.Info.Length - end.Length, "the last four bytes are not zero");
        }
    }
}
