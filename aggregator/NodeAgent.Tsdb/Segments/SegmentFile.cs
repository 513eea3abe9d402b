using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Checksums;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// An open segment: its handle and the directory of its index pages. Read with pread only: a file that was cut short gives a short read,
/// where a mapping would end the process (SIGBUS). Immutable but for the count of owners; the last to let go closes the file.
/// </summary>
internal sealed class SegmentFile
{
    private readonly IFileOps _files;
    private readonly long _handle;
    private readonly Page[] _pages;
    private int _owners = 1;

    private SegmentFile(IFileOps files, SegmentInfo info, long handle, Page[] pages)
    {
        _files = files;
        Info = info;
        _handle = handle;
        _pages = pages;
    }

    public SegmentInfo Info { get; }

    public int PageCount => _pages.Length;

    /// <summary>Opens and checks a segment: length, header, trailer, directory. Runs and pages are checked when they are read.</summary>
    public static bool TryOpen(
        IFileOps files, string directory, SegmentInfo info, [NotNullWhen(true)] out SegmentFile? segment, [NotNullWhen(false)] out SegmentProblem? problem)
    {
        segment = null;
        string path = Path.Combine(directory, info.FileName);
        IoResult opened = files.OpenRetrying(path, FileOpenMode.Read);
        if (!opened.Ok)
        {
            problem = new SegmentProblem(info, $"open: {Errno.Name(opened.Errno)}", IsDamage: opened.Errno == Errno.NoEntry);
            return false;
        }

        problem = Check(files, opened.Value, info, out Page[] pages);
        if (problem is not null)
        {
            files.Close(opened.Value);
            return false;
        }

        segment = new SegmentFile(files, info, opened.Value, pages);
        return true;
    }

    public ref readonly Page PageAt(int index) => ref _pages[index];

    /// <summary>The page in which a key would be; -1: no page of the metric begins at or before it.</summary>
    public int FindPage(int metricId, int seriesId)
    {
        int low = 0;
        int high = _pages.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            ref readonly Page page = ref _pages[middle];
            bool before = page.MetricId < metricId || (page.MetricId == metricId && page.FirstSeriesId < seriesId);
            if (before)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        // The first page that begins at or behind the key; where it begins behind, the key is in the one before, if anywhere. The same
        // series may fill the end of one page and the start of the next, so a page that begins with the key may have a beginning before.
        if (low > 0 && _pages[low - 1].MetricId == metricId)
        {
            return low - 1;
        }

        return low < _pages.Length && _pages[low].MetricId == metricId && _pages[low].FirstSeriesId == seriesId ? low : -1;
    }

    /// <summary>Reads a stretch of the file; short only at its end.</summary>
    public IoResult Read(Span<byte> into, long offset) => _files.ReadAll(_handle, into, offset);

    /// <summary>One more owner. False: it is closed already.</summary>
    public bool TryRetain()
    {
        int owners = Volatile.Read(ref _owners);
        while (owners > 0)
        {
            int seen = Interlocked.CompareExchange(ref _owners, owners + 1, owners);
            if (seen == owners)
            {
                return true;
            }

            owners = seen;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _owners) == 0)
        {
            _files.Close(_handle); // opened for reading: nothing can be lost
        }
    }

    private static SegmentProblem? Check(IFileOps files, long handle, SegmentInfo info, out Page[] pages)
    {
        pages = [];
        IoResult length = files.Length(handle);
        if (!length.Ok || length.Value != info.Length || info.Length < SegmentFormat.HeaderBytes + SegmentFormat.TrailerBytes)
        {
            return length.Ok
                ? new SegmentProblem(info, $"its length is {length.Value}, not {info.Length}", IsDamage: true, Offset: Math.Min(length.Value, info.Length))
                : new SegmentProblem(info, $"length: {Errno.Name(length.Errno)}", IsDamage: false);
        }

        Span<byte> ends = stackalloc byte[SegmentFormat.HeaderBytes + SegmentFormat.TrailerBytes];
        IoResult read = files.ReadAll(handle, ends[..SegmentFormat.HeaderBytes], 0);
        read = read.Ok ? files.ReadAll(handle, ends[SegmentFormat.HeaderBytes..], info.Length - SegmentFormat.TrailerBytes) : read;
        if (!read.Ok)
        {
            return new SegmentProblem(info, $"read: {Errno.Name(read.Errno)}", IsDamage: false);
        }

        if (!SegmentFormat.IsHeader(ends[..SegmentFormat.HeaderBytes], info))
        {
            return new SegmentProblem(info, "its header is damaged, or another segment's", IsDamage: true);
        }

        if (!SegmentFormat.TryReadTrailer(ends[SegmentFormat.HeaderBytes..], info, out long offset, out int bytes, out uint checksum))
        {
            return new SegmentProblem(info, "its trailer is damaged, or another segment's", IsDamage: true, Offset: info.Length - SegmentFormat.TrailerBytes);
        }

        byte[] directory = GC.AllocateUninitializedArray<byte>(bytes);
        read = files.ReadAll(handle, directory, offset);
        if (!read.Ok)
        {
            return new SegmentProblem(info, $"read: {Errno.Name(read.Errno)}", IsDamage: false);
        }

        if (read.Value != bytes || Crc32C.Compute(directory) != checksum || !TryParse(directory, offset, out pages))
        {
            return new SegmentProblem(info, "its directory is damaged", IsDamage: true, Offset: offset);
        }

        return null;
    }

    /// <summary>Directory entries in order; pages lie one behind the other and end where the directory begins.</summary>
    private static bool TryParse(ReadOnlySpan<byte> directory, long directoryOffset, out Page[] pages)
    {
        pages = [];
        try
        {
            ChunkReader reader = new(directory);
            ulong count = reader.ReadUnsigned();
            if (count > (ulong)directory.Length)
            {
                return false;
            }

            Page[] found = new Page[count];
            long bytes = 0;
            long metric = -1;
            for (int i = 0; i < found.Length; i++)
            {
                metric += reader.ReadSigned();
                found[i] = new Page(
                    checked((int)metric), checked((int)reader.ReadUnsigned()), checked((int)reader.ReadUnsigned()),
                    checked((long)reader.ReadUnsigned()), bytes, checked((int)reader.ReadUnsigned()), reader.ReadUInt32());
                bytes += found[i].Bytes;
            }

            for (int i = 0; i < found.Length; i++)
            {
                found[i] = found[i] with { Offset = directoryOffset - bytes + found[i].Offset };
            }

            pages = found;
            return reader.IsEmpty && (found.Length == 0 || found[0].Offset >= SegmentFormat.HeaderBytes);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or OverflowException or InvalidDataException)
        {
            return false; // the checksum holds, so this is a writer's bug; the caller sets the segment aside and says so
        }
    }

    /// <summary>Where an index page is.</summary>
    /// <param name="MetricId">Of all its entries.</param>
    /// <param name="FirstSeriesId">Of its first entry.</param>
    /// <param name="Entries">How many.</param>
    /// <param name="DataOffset">Where the first entry's run begins; the others follow without gaps.</param>
    /// <param name="Offset">Of the page in the file.</param>
    /// <param name="Bytes">Of the page.</param>
    /// <param name="Checksum">CRC-32C of the page.</param>
    internal readonly record struct Page(int MetricId, int FirstSeriesId, int Entries, long DataOffset, long Offset, int Bytes, uint Checksum);
}

/// <summary>Why a segment cannot be served.</summary>
/// <param name="Info">The segment.</param>
/// <param name="Reason">For the log.</param>
/// <param name="IsDamage">The bytes are wrong or gone; else the disk refused a call, and it may be well another time.</param>
/// <param name="Offset">Where in the file.</param>
internal sealed record SegmentProblem(SegmentInfo Info, string Reason, bool IsDamage, long Offset = 0);
