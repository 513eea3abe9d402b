namespace NodeAgent.Tsdb;

/// <summary>Tells a meter what was read, afterwards: for stores that hold a series' samples in memory anyway.</summary>
internal sealed class MeteredReader(ISampleReader inner, IScanMeter meter) : ISampleReader
{
    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        int before = buffer.Count;
        inner.Read(series, fromUnixMs, toUnixMs, buffer);
        meter.Take(buffer.Count - before);
    }

    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value) =>
        inner.TryReadNewest(series, toUnixMs, out unixMs, out value);

    public void Dispose() => inner.Dispose();
}
