using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Tiers;

namespace NodeAgent.Tsdb.Merging;

/// <summary>Writes one row a bucket into a tier's segment, series by series.</summary>
internal sealed class TierOutput(SegmentWriter writer, long bucketMs, bool pack)
{
    private readonly TimeColumnTable _times = new();
    private readonly Dictionary<int, int> _ofRaw = []; // time column of the raw segment -> own, for series without NaN
    private readonly TimeColumn.Builder _builder = new();
    private readonly RunPacker _packer = new();
    private readonly ChunkWriter _run = new();
    private readonly ChunkWriter _chunk = new();
    private readonly TierBuffer _rows = new();

    public SegmentWriter Writer => writer;

    public void Add(MemorySeries series, SampleBuffer samples, int rawTimeColumn, long scale)
    {
        _rows.Clear();
        bool anyNaN = TierBuilder.Build(samples.Times, samples.Values, bucketMs, scale, _rows);
        ReadOnlySpan<TierRow> rows = _rows.Rows;
        if (rows.IsEmpty)
        {
            return;
        }

        if (anyNaN || !_ofRaw.TryGetValue(rawTimeColumn, out int timeColumn))
        {
            timeColumn = TimeColumnOf(rows);
            if (!anyNaN)
            {
                _ofRaw.Add(rawTimeColumn, timeColumn);
            }
        }

        _run.Clear();
        for (int start = 0; start < rows.Length; start += IntegerCodec.MaxCount)
        {
            _chunk.Clear();
            TierCodec.EncodeValues(rows[start..Math.Min(rows.Length, start + IntegerCodec.MaxCount)], series.Kind, series.Scale, anyNaN, _chunk);
            _run.WriteUnsigned((ulong)_chunk.Length);
            _run.Write(_chunk.Written);
        }

        ReadOnlySpan<byte> run = _packer.Pack(_run.Written, pack, out RunPacking packing);
        writer.AddRun(series.MetricId, series.Id, timeColumn, run, packing);
        writer.Samples += rows.Length;
        writer.NoteTimes(rows[0].FirstUnixMs, rows[^1].LastUnixMs);
    }

    public SegmentInfo? Finish()
    {
        _times.WriteTo(writer);
        return writer.Finish();
    }

    private int TimeColumnOf(ReadOnlySpan<TierRow> rows)
    {
        _builder.Clear();
        for (int start = 0; start < rows.Length; start += IntegerCodec.MaxCount)
        {
            ReadOnlySpan<TierRow> chunk = rows[start..Math.Min(rows.Length, start + IntegerCodec.MaxCount)];
            _chunk.Clear();
            TierCodec.EncodeTimes(chunk, _chunk);
            _builder.Add(chunk.Length, chunk[0].EndUnixMs, chunk[^1].EndUnixMs, _chunk.Written);
        }

        return _times.NumberOf(_builder);
    }
}
