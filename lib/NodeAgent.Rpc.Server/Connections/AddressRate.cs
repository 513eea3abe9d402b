using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// New connections each address may open: so many a second, and after a pause a second's worth at once. An IPv6 network of 64 bits counts
/// as one address, because one host has it all. Bounded memory: among addresses that filled the table the one longest unseen is forgotten
/// first, which forgives it at most a second's worth.
/// </summary>
internal sealed class AddressRate(int perSecond, int mostAddresses, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, LinkedListNode<Bucket>> _buckets = [];
    private readonly LinkedList<Bucket> _byLastSeen = new();

    /// <summary>Counts one connection of this address; false when it is one too many. Loopback and an unknown address always may.</summary>
    internal bool TryTake(IPAddress? address)
    {
        if (perSecond == 0 || address is null || IPAddress.IsLoopback(address))
        {
            return true;
        }

        lock (_lock)
        {
            Bucket bucket = FindNeedsLock(KeyOf(address));
            long now = time.GetTimestamp();
            bucket.Left = Math.Min(perSecond, bucket.Left + (time.GetElapsedTime(bucket.At, now).TotalSeconds * perSecond));
            bucket.At = now;
            if (bucket.Left < 1)
            {
                return false;
            }

            bucket.Left--;
            return true;
        }
    }

    private Bucket FindNeedsLock(UInt128 key)
    {
        if (_buckets.TryGetValue(key, out LinkedListNode<Bucket>? node))
        {
            _byLastSeen.Remove(node);
            _byLastSeen.AddLast(node);
            return node.Value;
        }

        if (_buckets.Count >= mostAddresses && _byLastSeen.First is { } oldest)
        {
            _buckets.Remove(oldest.Value.Key);
            _byLastSeen.Remove(oldest);
        }

        Bucket bucket = new() { Key = key, Left = perSecond, At = time.GetTimestamp() };
        _buckets[key] = _byLastSeen.AddLast(bucket);
        return bucket;
    }

    private static UInt128 KeyOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            bytes[8..].Clear();
            return MemoryMarshal.Read<UInt128>(bytes);
        }

        // No IPv6 network has its host half set here.
        bytes[15] = 4;
        return MemoryMarshal.Read<UInt128>(bytes);
    }

    private sealed class Bucket
    {
        internal required UInt128 Key { get; init; }

        internal double Left { get; set; }

        internal long At { get; set; }
    }
}
