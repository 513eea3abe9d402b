using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Network;

/// <summary>One line of /proc/net/dev: two headings with bars, then <c>name: 8 receive counters 8 transmit counters</c>.</summary>
internal static class NetDevParser
{
    public const int Counters = 16;

    public static DeviceLine Parse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> device, Span<ulong> counters, out int count)
    {
        count = 0;
        device = default;
        int colon = line.LastIndexOf((byte)':'); // the last one: an alias interface has one in its name
        if (colon < 0)
        {
            return line.Contains((byte)'|') ? DeviceLine.Heading : DeviceLine.Malformed;
        }

        device = line[..colon].Trim((byte)' ');
        Utf8Cursor cursor = new(line[(colon + 1)..]);
        while (count < Counters && cursor.TryReadUInt64(out counters[count]))
        {
            count++;
        }

        return count == Counters && !device.IsEmpty ? DeviceLine.Device : DeviceLine.Malformed;
    }
}
