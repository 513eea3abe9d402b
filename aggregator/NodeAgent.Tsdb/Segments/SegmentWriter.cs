using NodeAgent.Journal;
using NodeAgent.Journal.Checksums;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// Writes one segment from front to back under a temporary name: runs in the order of (metric, series), time columns, index pages,
/// directory, trailer; then fsync, rename, fsync of the directory. The first call that the disk refuses ends it: everything after that
/// does nothing, and <see cref="Finish"/> says what it was. One thread.
/// </summary>
internal sealed class SegmentWriter
{
    private const int BufferBytes = 256 * 1024;

    private readonly IFileOps _files;
    private readonly string _directory;
    private readonly SegmentInfo _info;
    private readonly string _path;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly ChunkWriter _page = new();
    private readonly ChunkWriter _pages = new();
    private readonly ChunkWriter _pageTable = new();
    private long _handle = IFileOps.NoHandle;
    private int _buffered;
    private long _offset;
    private long _bufferOffset;
    private int _pageCount;
    private int _pageMetric;
    private int _pageFirstId;
    private long _pageDataOffset;
    private int _pageTableCount;
    private int _lastMetric = -1;
    private int _lastSeries;
    private int _lastTimeColumn;
    private long _first = long.MaxValue;
    private long _last = long.MinValue;

    /// <param name="files">The disk.</param>
    /// <param name="directory">The segments' directory.</param>
    /// <param name="info">Number, kind, level, sequence and window; the rest is found out.</param>
    public SegmentWriter(IFileOps files, string directory, SegmentInfo info)
    {
        _files = files;
        _directory = directory;
        _info = info;
        _path = Path.Combine(directory, info.FileName + SegmentName.Unfinished);
        IoResult opened = files.OpenRetrying(_path, FileOpenMode.CreateNew);
        if (!opened.Ok)
        {
            Error = new JournalError("create", _path, opened.Errno);
            return;
        }

        _handle = opened.Value;
        SegmentFormat.WriteHeader(_buffer, info.Number, info.Kind);
        _buffered = SegmentFormat.HeaderBytes;
        _offset = SegmentFormat.HeaderBytes;
    }

    /// <summary>The call that the disk refused, if it did.</summary>
    public JournalError? Error { get; private set; }

    /// <summary>Bytes so far.</summary>
    public long Length => _offset;

    /// <summary>Samples in the runs so far; the owner counts them.</summary>
    public long Samples { get; set; }

    /// <summary>Widens the range of times that the segment is said to have.</summary>
    public void NoteTimes(long firstUnixMs, long lastUnixMs)
    {
        _first = Math.Min(_first, firstUnixMs);
        _last = Math.Max(_last, lastUnixMs);
    }

    /// <summary>Adds a run. Keys come in ascending order; one series may come more than once, later writes later.</summary>
    public void AddRun(int metricId, int seriesId, int timeColumn, ReadOnlySpan<byte> data, RunPacking packing = RunPacking.None)
    {
        if (_pageCount == SegmentFormat.PageEntries || (_pageCount > 0 && metricId != _pageMetric))
        {
            EndPage();
        }

        if (_pageCount == 0)
        {
            _pageMetric = metricId;
            _pageFirstId = seriesId;
            _pageDataOffset = _offset;
            _lastSeries = seriesId;
            _lastTimeColumn = 0;
        }

        _page.WriteUnsigned((ulong)(uint)(seriesId - _lastSeries));
        _page.WriteSigned(timeColumn - _lastTimeColumn);
        _page.WriteUnsigned(((ulong)data.Length << 2) | (byte)packing);
        _page.WriteUInt32(Crc32C.Compute(data));
        _lastSeries = seriesId;
        _lastTimeColumn = timeColumn;
        _pageCount++;
        Write(data);
    }

    /// <summary>
    /// Makes the file durable under its name. Null: it is not there, <see cref="Error"/> says why, and what there was of it is removed
    /// as far as the disk allows.
    /// </summary>
    public SegmentInfo? Finish()
    {
        EndPage();
        long directoryOffset = _offset + _pages.Length;
        Write(_pages.Written);
        ChunkWriter directory = new();
        directory.WriteUnsigned((ulong)_pageTableCount);
        _pageTable.Written.CopyTo(directory.Take(_pageTable.Length));
        Write(directory.Written);
        Span<byte> trailer = stackalloc byte[SegmentFormat.TrailerBytes];
        SegmentInfo info = SegmentFormat.WriteTrailer(
            trailer,
            _info with { Samples = Samples, FirstUnixMs = _first, LastUnixMs = _last, Length = _offset + SegmentFormat.TrailerBytes },
            directoryOffset,
            directory.Length,
            Crc32C.Compute(directory.Written));
        Write(trailer);
        WriteOut();
        Do("fsync", () => _files.Sync(_handle));
        Close();
        Do("rename", () => _files.RenameRetrying(_path, Path.Combine(_directory, info.FileName)));
        Do("fsync directory", () => _files.SyncDirectory(_directory));
        if (Error is null)
        {
            return info;
        }

        Abandon();
        return null;
    }

    /// <summary>Gives up: removes what was written. What cannot be removed is found and removed when the store opens.</summary>
    public void Abandon()
    {
        Close();
        _files.DeleteRetrying(_path);
        _files.DeleteRetrying(Path.Combine(_directory, _info.FileName));
    }

    private void EndPage()
    {
        if (_pageCount == 0)
        {
            return;
        }

        // Directory entry: metric less the one before, first series, entries, offset of the first run, bytes of the page, its checksum.
        _pageTable.WriteSigned((long)_pageMetric - _lastMetric);
        _pageTable.WriteUnsigned((ulong)(uint)_pageFirstId);
        _pageTable.WriteUnsigned((ulong)_pageCount);
        _pageTable.WriteUnsigned((ulong)_pageDataOffset);
        _pageTable.WriteUnsigned((ulong)_page.Length);
        _pageTable.WriteUInt32(Crc32C.Compute(_page.Written));
        _lastMetric = _pageMetric;
        _pageTableCount++;
        _pages.Write(_page.Written);
        _page.Clear();
        _pageCount = 0;
    }

    private void Write(ReadOnlySpan<byte> data)
    {
        _offset += data.Length;
        if (Error is not null)
        {
            return;
        }

        if (data.Length > _buffer.Length - _buffered)
        {
            WriteOut();
            if (data.Length >= _buffer.Length)
            {
                Put(data, _offset - data.Length);
                return;
            }
        }

        data.CopyTo(_buffer.AsSpan(_buffered));
        _buffered += data.Length;
        _bufferOffset = _offset - _buffered;
    }

    private void WriteOut()
    {
        if (_buffered > 0)
        {
            Put(_buffer.AsSpan(0, _buffered), _bufferOffset);
            _buffered = 0;
        }
    }

    private void Put(ReadOnlySpan<byte> data, long offset)
    {
        if (Error is null)
        {
            IoResult written = _files.WriteAll(_handle, data, offset);
            Error = written.Ok ? null : new JournalError("write", _path, written.Errno);
        }
    }

    private void Do(string operation, Func<IoResult> call)
    {
        if (Error is null)
        {
            IoResult result = call();
            Error = result.Ok ? null : new JournalError(operation, _path, result.Errno);
        }
    }

    private void Close()
    {
        if (_handle != IFileOps.NoHandle)
        {
            _files.Close(_handle); // after a sync it has nothing more to say; before one the file is given up
            _handle = IFileOps.NoHandle;
        }
    }
}
