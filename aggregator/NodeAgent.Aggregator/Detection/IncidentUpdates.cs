using System.Threading.Channels;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Detection;

/// <summary>One watcher's queue of changes. Bounded: a watcher that does not read loses the oldest, and is told how many.</summary>
internal sealed class IncidentSubscription
{
    /// <summary>A fleet's worst minute; a person reads none of it faster.</summary>
    private const int Most = 4096;

    private readonly Channel<IncidentUpdate> _updates;
    private long _missed;

    internal IncidentSubscription(string node)
    {
        Node = node;
        _updates = Channel.CreateBounded<IncidentUpdate>(
            new BoundedChannelOptions(Most) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Interlocked.Increment(ref _missed));
    }

    /// <summary>"": every node.</summary>
    internal string Node { get; }

    internal ChannelReader<IncidentUpdate> Reader => _updates.Reader;

    internal ulong TakeMissed() => (ulong)Interlocked.Exchange(ref _missed, 0);

    internal void Push(IncidentUpdate update) => _updates.Writer.TryWrite(update);
}
