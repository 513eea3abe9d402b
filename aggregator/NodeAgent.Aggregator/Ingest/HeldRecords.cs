using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Which records of one spool epoch the aggregator has: those it has taken, which are not taken again, and of them those on its disk,
/// which the agent may free. Records that will never come (dropped by the agent) count as both.
/// </summary>
internal sealed class HeldRecords(ulong epoch)
{
    /// <summary>
    /// An agent whose link flaps for hours before it can hand over any backlog comes to hundreds of ranges. Beyond this bound the lowest range but
    /// one is forgotten: its records would be taken a second time, where the store lays them over the first.
    /// </summary>
    internal const int MaxRanges = 16_384;

    // No spool holds the records of so many boots, but of a host that boots in circles.
    private const int MostBoots = 64;

    internal ulong Epoch => epoch;

    internal SequenceSet Received { get; } = new(MaxRanges);

    internal SequenceSet Durable { get; } = new(MaxRanges);

    /// <summary>When the monotonic clock of each boot was at zero, Unix ms by the aggregator's clock; known of boots in which the agent said hello.</summary>
    internal SortedList<uint, long> Boots { get; } = [];

    /// <summary>A hello says what the monotonic clock of its boot shows: so frames of that boot have a time even when a later boot brings them.</summary>
    internal void NoteBoot(uint boot, ulong monotonicNs, long unixMs)
    {
        if (monotonicNs == 0)
        {
            return;
        }

        Boots[boot] = unixMs - (long)(monotonicNs / 1_000_000);
        if (Boots.Count > MostBoots)
        {
            Boots.RemoveAt(0);
        }
    }

    /// <summary>Nothing before this one will come: the agent holds it no more.</summary>
    internal void Skip(ulong firstHeld)
    {
        if (firstHeld > 1)
        {
            Received.Add(1, firstHeld - 1);
            Durable.Add(1, firstHeld - 1);
        }
    }
}
