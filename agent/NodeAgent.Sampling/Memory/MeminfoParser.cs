using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Memory;

/// <summary>
/// Lines of /proc/meminfo and of a NUMA node's meminfo: "Active(anon):   1560 kB", "Node 0 MemFree:  17 kB", "HugePages_Free:  0".
/// </summary>
internal static class MeminfoParser
{
    /// <summary>Longer keys are not the kernel's; the longest known has 17 bytes.</summary>
    private const int MaxKeyBytes = 64;

    /// <summary>Parses one line. False: not of this form, or cut.</summary>
    public static bool TryParseLine(ReadOnlySpan<byte> line, out MeminfoReading reading)
    {
        reading = default;
        if (line.StartsWith("Node "u8))
        {
            Utf8Cursor node = new(line[5..]);
            if (!node.TryReadUInt64(out _) || !node.TrySkip(" "u8))
            {
                return false;
            }

            line = node.Rest;
        }

        int colon = line.IndexOf((byte)':');
        if (colon is <= 0 or > MaxKeyBytes || line[..colon].ContainsAnyExcept(KeyBytes))
        {
            return false;
        }

        Utf8Cursor cursor = new(line[(colon + 1)..]);
        if (!cursor.TryReadUInt64(out ulong value))
        {
            return false;
        }

        bool isKilobytes = cursor.TrySkip(" kB"u8);
        if (!cursor.IsAtEnd || (isKilobytes && value > ulong.MaxValue / 1024))
        {
            return false;
        }

        reading = new MeminfoReading(line[..colon], isKilobytes ? value * 1024 : value, isKilobytes);
        return true;
    }

    private static readonly System.Buffers.SearchValues<byte> KeyBytes =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_()"u8);
}

/// <summary>One line: its key, and its value in bytes where the kernel says kB.</summary>
internal readonly ref struct MeminfoReading(ReadOnlySpan<byte> key, ulong value, bool isBytes)
{
    public ReadOnlySpan<byte> Key { get; } = key;

    public ulong Value { get; } = value;

    public bool IsBytes { get; } = isBytes;
}
