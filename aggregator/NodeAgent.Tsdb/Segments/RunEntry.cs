namespace NodeAgent.Tsdb.Segments;

/// <summary>Where one series' data lie in a segment (or, under <see cref="SegmentFormat.TimeMetric"/>, one time column).</summary>
/// <param name="SeriesId">The series, or the number of the time column.</param>
/// <param name="TimeColumn">The time column of its rows.</param>
/// <param name="Offset">In the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Packing">How the bytes are packed.</param>
/// <param name="Checksum">CRC-32C of the bytes.</param>
internal readonly record struct RunEntry(int SeriesId, int TimeColumn, long Offset, int Length, RunPacking Packing, uint Checksum);

/// <summary>How a run's bytes are packed. Stored in two bits; numbers never change meaning.</summary>
internal enum RunPacking : byte
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>Brotli over the whole run.</summary>
    Brotli = 1,
}
