using NodeAgent.Journal.Checksums;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Merging;

/// <summary>
/// The time columns of a segment that is being written: series with the same times share one. Equal means equal encoded bytes, so
/// nothing rests on a hash. The last few are also kept decoded, because neighbours in the file mostly share theirs.
/// </summary>
internal sealed class TimeColumnTable
{
    private const int Recent = 8;

    private readonly Dictionary<uint, List<int>> _byChecksum = [];
    private readonly List<byte[]> _columns = [];
    private readonly (long[] Times, int Number)[] _recent = new (long[], int)[Recent];
    private readonly TimeColumn.Builder _builder = new();
    private readonly ChunkWriter _scratch = new();
    private readonly ChunkWriter _run = new();
    private int _next;

    public int Count => _columns.Count;

    public ReadOnlySpan<byte> this[int number] => _columns[number];

    /// <summary>The number of the column with these times, in chunks of <see cref="IntegerCodec.MaxCount"/> rows.</summary>
    public int NumberOf(ReadOnlySpan<long> times)
    {
        foreach ((long[] known, int number) in _recent)
        {
            if (known is not null && times.SequenceEqual(known))
            {
                return number;
            }
        }

        _builder.Clear();
        for (int start = 0; start < times.Length; start += IntegerCodec.MaxCount)
        {
            ReadOnlySpan<long> chunk = times[start..Math.Min(times.Length, start + IntegerCodec.MaxCount)];
            _scratch.Clear();
            IntegerCodec.Encode(chunk, _scratch);
            _builder.Add(chunk.Length, chunk[0], chunk[^1], _scratch.Written);
        }

        int added = NumberOf(_builder);
        _recent[_next++ % Recent] = (times.ToArray(), added);
        return added;
    }

    /// <summary>The number of the column with these bytes.</summary>
    public int NumberOf(TimeColumn.Builder column)
    {
        _run.Clear();
        column.WriteTo(_run);
        uint checksum = Crc32C.Compute(_run.Written);
        if (!_byChecksum.TryGetValue(checksum, out List<int>? numbers))
        {
            _byChecksum.Add(checksum, numbers = []);
        }

        foreach (int number in numbers)
        {
            if (_run.Written.SequenceEqual(_columns[number]))
            {
                return number;
            }
        }

        _columns.Add(_run.Written.ToArray());
        numbers.Add(_columns.Count - 1);
        return _columns.Count - 1;
    }

    public void WriteTo(SegmentWriter writer)
    {
        for (int number = 0; number < _columns.Count; number++)
        {
            writer.AddRun(SegmentFormat.TimeMetric, number, number, _columns[number]);
        }
    }
}
