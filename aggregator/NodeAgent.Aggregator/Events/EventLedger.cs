using System.Threading.Channels;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Events;

/// <summary>One event of one node, as it was received.</summary>
internal sealed record LedgerEntry(string Node, Event Event, long ReceivedUnixMs);

/// <summary>
/// The newest events of all nodes, in the order received, in a ring of fixed size. Once-only is the sequence filter's work
/// before; the ledger only keeps and hands out.
/// </summary>
internal sealed class EventLedger(int capacity)
{
    /// <summary>What a slow follower may lag behind before it loses the oldest.</summary>
    internal const int FollowerBacklog = 4096;

    private readonly Lock _lock = new();
    private readonly LedgerEntry?[] _ring = new LedgerEntry?[capacity];
    private readonly List<ChannelWriter<LedgerEntry>> _followers = [];
    private long _added;
    private long _lostByFollowers;

    /// <summary>Events handed to a follower that was too slow to take them.</summary>
    internal long LostByFollowers => Interlocked.Read(ref _lostByFollowers);

    internal LedgerEntry Add(string node, Event record, long receivedUnixMs)
    {
        LedgerEntry entry = new(node, record, receivedUnixMs);
        lock (_lock)
        {
            _ring[_added++ % _ring.Length] = entry;
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
        long oldest = Math.Max(0, _added - _ring.Length);
        for (long i = _added - 1; i >= oldest && found.Count < limit; i--)
        {
            if (_ring[i % _ring.Length] is { } entry && passes(entry))
            {
                found.Add(entry);
            }
        }

        return found;
    }
}
