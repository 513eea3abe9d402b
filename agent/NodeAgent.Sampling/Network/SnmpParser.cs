using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Network;

/// <summary>
/// /proc/net/snmp and /proc/net/netstat: pairs of lines, <c>Group: Name Name ...</c> and <c>Group: 1 2 ...</c>;
/// /proc/net/snmp6: lines of <c>Ip6Name value</c>, where the group ends with the 6.
/// </summary>
internal static class SnmpParser
{
    /// <summary>Takes the next pair. <paramref name="isPair"/> is false where the two lines do not belong together.</summary>
    public static bool TryReadPair(ref Utf8Cursor cursor, out ReadOnlySpan<byte> names, out ReadOnlySpan<byte> values, out bool isPair)
    {
        values = default;
        isPair = false;
        if (!cursor.TryReadLine(out names))
        {
            return false;
        }

        cursor.TryReadLine(out values);
        int colon = names.IndexOf((byte)':');
        isPair = colon > 0 && values.Length > colon && values[..(colon + 1)].SequenceEqual(names[..(colon + 1)]);
        values = isPair ? values[(colon + 1)..] : default;
        return true;
    }

    /// <summary>Takes a line of snmp6. False where the line does not have that form.</summary>
    public static bool TryParseLine(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> name, out ulong value)
    {
        value = 0;
        Utf8Cursor cursor = new(line);
        return cursor.TryReadField(out name) && cursor.TryReadUInt64(out value);
    }
}
