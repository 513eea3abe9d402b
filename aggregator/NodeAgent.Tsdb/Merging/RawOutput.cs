using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Merging;

/// <summary>Writes merged samples into a raw segment, series by series.</summary>
internal sealed class RawOutput(SegmentWriter writer, bool pack)
{
    private readonly TimeColumnTable _times = new();
    private readonly RunPacker _packer = new();
    private readonly ChunkWriter _run = new();
    private readonly ChunkWriter _chunk = new();

    public SegmentWriter Writer => writer;

    /// <summary>Adds a series. Returns its time column, and the scale over which all values are integers (0: none).</summary>
    public (int TimeColumn, long Scale) Add(MemorySeries series, SampleBuffer samples)
    {
        ReadOnlySpan<long> times = samples.Times;
        ReadOnlySpan<double> values = samples.Values;
        int timeColumn = _times.NumberOf(times);
        long scale = 1;
        _run.Clear();
        for (int start = 0; start < values.Length; start += IntegerCodec.MaxCount)
        {
            _chunk.Clear();
            _chunk.WriteByte(0); // every row of the time column has a value: the column is the series' own, or shared by those with the same rows
            long own = ValueCodec.Encode(values[start..Math.Min(values.Length, start + IntegerCodec.MaxCount)], series.Scale, _chunk);
            scale = Common(scale, own);
            _run.WriteUnsigned((ulong)_chunk.Length);
            _run.Write(_chunk.Written);
        }

        ReadOnlySpan<byte> run = _packer.Pack(_run.Written, pack, out RunPacking packing);
        writer.AddRun(series.MetricId, series.Id, timeColumn, run, packing);
        writer.Samples += values.Length;
        writer.NoteTimes(times[0], times[^1]);
        return (timeColumn, scale);
    }

    public SegmentInfo? Finish()
    {
        _times.WriteTo(writer);
        return writer.Finish();
    }

    /// <summary>The larger of two scales if it is a multiple of the other; 0: there is none.</summary>
    private static long Common(long left, long right)
    {
        (long small, long large) = left < right ? (left, right) : (right, left);
        return small > 0 && large % small == 0 ? large : 0;
    }
}
