using System.Net;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// Tries that each address may fail: five a minute. One that succeeds costs nothing, so that a rack behind one address can be enrolled at
/// once. Loopback is no exception. Bounded memory: when too many addresses fail within a minute, all further strangers wait.
/// </summary>
internal sealed class JoinThrottle(TimeProvider time)
{
    /// <summary>Failed tries a minute and address.</summary>
    internal const int TriesPerMinute = 5;

    /// <summary>Addresses that are remembered; about a megabyte.</summary>
    internal const int MostAddresses = 16 * 1024;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, (long Since, int Tries)> _tries = [];

    /// <summary>Takes one try; false: there is none left for now.</summary>
    internal bool TryTake(IPAddress address)
    {
        address = Network(address);
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (!_tries.TryGetValue(address, out (long Since, int Tries) entry) || time.GetElapsedTime(entry.Since, now) >= Window)
            {
                if (_tries.Count >= MostAddresses)
                {
                    ForgetOldNeedsLock(now);
                }

                if (_tries.Count >= MostAddresses && !_tries.ContainsKey(address))
                {
                    return false;
                }

                entry = (now, 0);
            }

            _tries[address] = (entry.Since, entry.Tries + 1);
            return entry.Tries < TriesPerMinute;
        }
    }

    /// <summary>The try succeeded.</summary>
    internal void GiveBack(IPAddress address)
    {
        address = Network(address);
        lock (_lock)
        {
            if (_tries.TryGetValue(address, out (long Since, int Tries) entry))
            {
                _tries[address] = (entry.Since, Math.Max(0, entry.Tries - 1));
            }
        }
    }

    private void ForgetOldNeedsLock(long now)
    {
        foreach (IPAddress old in _tries.Where(pair => time.GetElapsedTime(pair.Value.Since, now) >= Window).Select(pair => pair.Key).ToArray())
        {
            _tries.Remove(old);
        }
    }

    // One host has a whole IPv6 network of 64 bits.
    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        byte[] bytes = address.GetAddressBytes();
        if (bytes.Length == 16)
        {
            bytes.AsSpan(8).Clear();
        }

        return new IPAddress(bytes);
    }
}
