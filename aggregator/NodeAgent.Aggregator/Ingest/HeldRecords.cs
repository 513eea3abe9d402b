namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Which records of one spool epoch the aggregator has: those it has taken, which are not taken again, and of them those on its disk,
/// which the agent may free. Records that will never come (dropped by the agent) count as both.
/// </summary>
internal sealed class HeldRecords(ulong epoch)
{
    internal ulong Epoch => epoch;

    internal SequenceSet Received { get; } = new();

    internal SequenceSet Durable { get; } = new();

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
