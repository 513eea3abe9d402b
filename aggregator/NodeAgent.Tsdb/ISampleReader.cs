namespace NodeAgent.Tsdb;

/// <summary>
/// Reads samples for one query. Owns scratch buffers, so that reading many series allocates once. One thread at a time.
/// </summary>
public interface ISampleReader : IDisposable
{
    /// <summary>
    /// Appends the samples of a series with <c>from &lt;= time &lt;= to</c> to the buffer: times strictly ascending, each time once
    /// (where a time was written twice, the later write). Every chunk that the range touches is decoded once.
    /// </summary>
    void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer);

    /// <summary>The newest sample of a series that is not newer than a time. False: none is held.</summary>
    bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value);
}
