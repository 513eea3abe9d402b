using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Network;

/// <summary>A line of /proc/net/sockstat: <c>TCP: inuse 4 orphan 0 ...</c>.</summary>
internal static class SockstatParser
{
    /// <summary>Splits off the protocol; the pairs that follow are taken with <see cref="TryReadPair"/>.</summary>
    public static bool TryReadProtocol(ref Utf8Cursor line, out ReadOnlySpan<byte> protocol)
    {
        if (!line.TryReadField(out protocol) || protocol.Length < 2 || protocol[^1] != (byte)':')
        {
            return false;
        }

        protocol = protocol[..^1];
        return true;
    }

    /// <summary>Takes the next pair. False at the end of the line, and with <paramref name="isMalformed"/> where there is half a pair.</summary>
    public static bool TryReadPair(ref Utf8Cursor line, out ReadOnlySpan<byte> field, out long value, out bool isMalformed)
    {
        value = 0;
        isMalformed = false;
        if (!line.TryReadField(out field))
        {
            return false;
        }

        isMalformed = !line.TryReadInt64(out value);
        return !isMalformed;
    }
}
