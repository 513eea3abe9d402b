using System.Threading.Channels;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Events;

/// <summary>One event of one node, as it was received.</summary>
internal sealed record LedgerEntry(string Node, Event Event, long ReceivedUnixMs);

/// <summary>
/// The newest events of all nodes, in the order received, so many and no more. Once-only is the sequence filter's work before; the ledger
/// only keeps and hands out. When it is full, a node that has more than its share makes room, the oldest first: one that floods pushes
/// out its own events and not the traces of what it did to others.
/// </summary>
internal sealed class EventLedger(int capacity)
{
    /// <summary>What a slow follower may lag behind before it loses the oldest.</summary>
    internal const int FollowerBacklog = 4096;

    private readonly Lock _lock = new();
    private readonly LinkedList<LedgerEntry> _entries = new(); // oldest first
    private readonly Dictionary<string, Queue<LinkedListNode<LedgerEntry>>> _byNode = new(StringComparer.Ordinal);
    private readonly List<ChannelWriter<LedgerEntry>> _followers = [];
    private long _lostByFollowers;

    /// <summary>Events handed to a follower that was too slow to take them.</summary>
    internal long LostByFollowers => Interlocked.Read(ref _lostByFollowers);

    internal LedgerEntry Add(string node, Event record, long receivedUnixMs)
    {
        LedgerEntry entry = new(node, record, receivedUnixMs);
        lock (_lock)
        {
            KeepNeedsLock(entry);
            foreach (ChannelWriter<LedgerEntry> follower in _followers)
            {
                follower.TryWrite(entry);
            }
        }

        return entry;
    }

    /// <summary>Newest first, at most <paramref name="limit"/> of those that pass.</summary>
    internal List<LedgerEntry> Newest(int limit, Func<LedgerEntry, bool> passes)
    {
        lock (_lock)
        {
            return NewestNeedsLock(limit, passes);
        }
    }

    /// <summary>As <see cref="Newest"/>, and from that moment on every new event into the channel, without a hole between.</summary>
    internal List<LedgerEntry> Follow(int limit, Func<LedgerEntry, bool> passes, out Channel<LedgerEntry> channel)
    {
        channel = Channel.CreateBounded<LedgerEntry>(
            new BoundedChannelOptions(FollowerBacklog) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ => Interlocked.Increment(ref _lostByFollowers));
        lock (_lock)
        {
            _followers.Add(channel.Writer);
            return NewestNeedsLock(limit, passes);
        }
    }

    internal void Unfollow(Channel<LedgerEntry> channel)
    {
        lock (_lock)
        {
            _followers.Remove(channel.Writer);
        }
    }

    private List<LedgerEntry> NewestNeedsLock(int limit, Func<LedgerEntry, bool> passes)
    {
        List<LedgerEntry> found = [];
        for (LinkedListNode<LedgerEntry>? at = _entries.Last; at is not null && found.Count < limit; at = at.Previous)
        {
            if (passes(at.Value))
            {
                found.Add(at.Value);
            }
        }

        return found;
    }

    private void KeepNeedsLock(LedgerEntry entry)
    {
        if (!_byNode.TryGetValue(entry.Node, out Queue<LinkedListNode<LedgerEntry>>? own))
        {
            _byNode[entry.Node] = own = new Queue<LinkedListNode<LedgerEntry>>();
        }

        if (_entries.Count >= capacity)
        {
            int share = Math.Max(1, capacity / _byNode.Count);
            RemoveOldestNeedsLock(own.Count >= share ? entry.Node : OldestOfOneAboveNeedsLock(share));
        }

        own.Enqueue(_entries.AddLast(entry));
        _byNode[entry.Node] = own; // its last one may just have gone
    }

    // When it is full and somebody has less than a share, somebody has more; where all have exactly theirs, the oldest of all goes.
    private string OldestOfOneAboveNeedsLock(int share)
    {
        LinkedListNode<LedgerEntry> at = _entries.First!;
        while (_byNode[at.Value.Node].Count <= share && at.Next is { } next)
        {
            at = next;
        }

        return _byNode[at.Value.Node].Count > share ? at.Value.Node : _entries.First!.Value.Node;
    }

    private void RemoveOldestNeedsLock(string node)
    {
        Queue<LinkedListNode<LedgerEntry>> own = _byNode[node];
        _entries.Remove(own.Dequeue());
        if (own.Count == 0)
        {
            _byNode.Remove(node);
        }
    }
}
