using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Disk;

/// <summary>One line of /proc/diskstats: major, minor, name, then 11 (kernel 2.6.25), 15 (4.18) or 17 (5.5) counters.</summary>
internal static class DiskstatsParser
{
    /// <summary>The most counters a known kernel prints.</summary>
    public const int MaxCounters = 17;

    private const int FewestCounters = 11;

    /// <summary>False where the line does not have that form; counters after the known ones are ignored.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> device, Span<ulong> counters, out int count)
    {
        count = 0;
        device = default;
        Utf8Cursor cursor = new(line);
        if (!cursor.TryReadUInt64(out _) || !cursor.TryReadUInt64(out _) || !cursor.TryReadField(out device))
        {
            return false;
        }

        while (count < MaxCounters && cursor.TryReadUInt64(out counters[count]))
        {
            count++;
        }

        return count >= FewestCounters;
    }
}
