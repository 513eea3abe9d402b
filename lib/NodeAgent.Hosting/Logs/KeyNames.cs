using System.Collections.Concurrent;
using System.Text;

namespace NodeAgent.Hosting.Logs;

/// <summary>Turns the parameter names of a [LoggerMessage] into keys: <c>PeerAddress</c> becomes <c>peer_address</c>, in UTF-8, once.</summary>
internal static class KeyNames
{
    // Names come from source code, a few hundred in all. The bound only keeps a caller that invents names from filling the memory.
    private const int MaxCached = 2048;

    // Keys the line itself uses. A parameter of the same name gets an underscore, so that every key means one thing.
    private static readonly string[] Reserved =
        ["time", "level", "event", "id", "source", "msg", "error", "error_type", "stack", "truncated"];

    private static readonly ConcurrentDictionary<string, byte[]> Cache = new(StringComparer.Ordinal);

    public static byte[] Utf8(string name)
    {
        if (Cache.TryGetValue(name, out byte[]? key))
        {
            return key;
        }

        key = Encoding.UTF8.GetBytes(ToKey(name));
        if (Cache.Count < MaxCached)
        {
            Cache.TryAdd(name, key);
        }

        return key;
    }

    internal static string ToKey(string name)
    {
        string key = SnakeCase.From(name);
        return Array.IndexOf(Reserved, key) >= 0 ? key + "_" : key;
    }
}
