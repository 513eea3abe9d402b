using System.Collections.Immutable;

namespace NodeAgent.Journal.Segments;

/// <summary>
/// The journal's segments, oldest first. Changed under the commit lock, read by anyone: each change publishes a new list.
/// </summary>
internal sealed class SegmentCatalog
{
    private ImmutableArray<SegmentInfo> _segments = [];

    public ImmutableArray<SegmentInfo> Snapshot() => ImmutableInterlocked.InterlockedCompareExchange(ref _segments, default, default);

    public void Add(SegmentInfo segment) => Publish(Snapshot().Add(segment));

    public void Remove(SegmentInfo segment) => Publish(Snapshot().Remove(segment));

    public long TotalBytes()
    {
        long bytes = 0;
        foreach (SegmentInfo segment in Snapshot()) bytes += segment.Bytes;
        return bytes;
    }

    private void Publish(ImmutableArray<SegmentInfo> segments) => ImmutableInterlocked.InterlockedExchange(ref _segments, segments);
}
