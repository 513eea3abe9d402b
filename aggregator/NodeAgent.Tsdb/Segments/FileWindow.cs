using System.Buffers;
using NodeAgent.Journal.Checksums;
using NodeAgent.Journal.Files;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// A stretch of a segment in memory. Reads exactly what is asked for until it sees that the asking goes on behind itself; then it reads
/// ahead, more each time: one look-up costs one small read, a walk over a fleet a few large ones.
/// </summary>
internal sealed class FileWindow(SegmentFile file, ReadCounters counters) : IDisposable
{
    private const int FirstAhead = 16 * 1024;
    private const int MaxAhead = 512 * 1024;

    private byte[] _bytes = [];
    private long _offset;
    private int _length;
    private int _ahead;

    /// <summary>Bytes whose checksum holds; false: they are damaged or the disk refuses them, which is counted.</summary>
    public bool TryGet(long offset, int length, uint checksum, out ReadOnlySpan<byte> bytes)
    {
        if (TryRead(offset, length, out bytes, out bool failed) && Crc32C.Compute(bytes) == checksum)
        {
            return true;
        }

        // Once more past what is in memory: a read that went to the wrong place goes to the right one the second time.
        _length = 0;
        _ahead = 0;
        if (TryRead(offset, length, out bytes, out failed) && Crc32C.Compute(bytes) == checksum)
        {
            counters.AddReread();
            return true;
        }

        if (failed)
        {
            counters.AddUnreadable();
        }
        else
        {
            counters.AddDamaged();
        }

        bytes = default;
        return false;
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = [];
        _length = 0;
    }

    private bool TryRead(long offset, int length, out ReadOnlySpan<byte> bytes, out bool failed)
    {
        failed = false;
        if (offset < _offset || offset + length > _offset + _length)
        {
            bool goesOn = _length > 0 && offset >= _offset && offset <= _offset + _length + FirstAhead;
            _ahead = goesOn ? Math.Clamp(_ahead * 2, FirstAhead, MaxAhead) : 0;
            long wanted = Math.Min(Math.Max(length, _ahead), file.Info.Length - offset);
            if (wanted < length)
            {
                bytes = default;
                return false;
            }

            Reserve((int)wanted);
            IoResult read = file.Read(_bytes.AsSpan(0, (int)wanted), offset);
            _offset = offset;
            _length = read.Ok ? (int)read.Value : 0;
            failed = !read.Ok;
            if (_length < length)
            {
                _length = 0;
                bytes = default;
                return false;
            }
        }

        bytes = _bytes.AsSpan((int)(offset - _offset), length);
        return true;
    }

    private void Reserve(int length)
    {
        if (_bytes.Length < length)
        {
            Dispose();
            _bytes = ArrayPool<byte>.Shared.Rent(length);
        }
    }
}
