using System.Collections.Immutable;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Writing;

/// <summary>Which segments may go, and which must. Called under the commit lock.</summary>
internal sealed class Retention(JournalOptions options, TimeProvider time, SegmentCatalog catalog)
{
    /// <summary>The floor that the byte and age limits demand: the first id that may stay. 1: nothing must go.</summary>
    public ulong DemandedFloor()
    {
        ImmutableArray<SegmentInfo> segments = catalog.Snapshot();
        // The newest one counts as full: it will be before the limits are looked at again.
        long growth = segments is [.., { } newest] ? options.SegmentBytes - newest.Bytes : 0;
        long excess = options.MaxBytes is { } maxBytes ? catalog.TotalBytes() + growth - maxBytes : 0;
        ulong floor = 1;
        for (int i = 0; i + 1 < segments.Length; i++)
        {
            bool isOld = options.MaxAge is { } maxAge && Age(segments[i]) > maxAge;
            if (excess <= 0 && !isOld) break;
            excess -= segments[i].Bytes;
            floor = segments[i + 1].FirstId;
        }

        return floor;
    }

    /// <summary>Segments of which nothing is at or above the floor, oldest first; never the newest one.</summary>
    public IEnumerable<SegmentInfo> Released(ulong floor)
    {
        ImmutableArray<SegmentInfo> segments = catalog.Snapshot();
        for (int i = 0; i + 1 < segments.Length; i++)
        {
            bool isEmpty = segments[i].EndId == segments[i].FirstId;
            if (isEmpty || segments[i + 1].FirstId <= floor) yield return segments[i];
            else yield break;
        }
    }

    private TimeSpan Age(SegmentInfo segment) => segment.AgeAtBase + time.GetElapsedTime(segment.BaseTimestamp);
}
