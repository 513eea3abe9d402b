using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Cgroups;

/// <summary>
/// Parses the files of control groups of both versions (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/). Each method adds
/// to a reading what it understood and says whether all of it had the known form.
/// </summary>
internal static class CgroupParser
{
    private const ulong NsPerMicrosecond = 1_000;
    private const ulong NsPerUserHz = 10_000_000;

    // v1 prints "no limit" as LONG_MAX rounded down to a page (PAGE_COUNTER_MAX); with 64 KiB pages it is the smallest.
    private const ulong UnlimitedFrom = 0x7FFF_FFFF_FFFF_0000;

    /// <summary>v2 cpu.stat, in microseconds.</summary>
    public static bool TryParseCpuStatV2(ReadOnlySpan<byte> text, ref CgroupReading reading)
    {
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (!KeyValueParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> key, out ulong value))
            {
                isWellFormed = false;
            }
            else if (key.SequenceEqual("usage_usec"u8))
            {
                reading.CpuUsageNs = Multiply(value, NsPerMicrosecond);
            }
            else if (key.SequenceEqual("user_usec"u8))
            {
                reading.CpuUserNs = Multiply(value, NsPerMicrosecond);
            }
            else if (key.SequenceEqual("system_usec"u8))
            {
                reading.CpuSystemNs = Multiply(value, NsPerMicrosecond);
            }
            else if (key.SequenceEqual("throttled_usec"u8))
            {
                reading.CpuThrottledNs = Multiply(value, NsPerMicrosecond);
            }
            else
            {
                SetThrottling(key, value, ref reading);
            }
        }

        return isWellFormed && !text.IsEmpty;
    }

    /// <summary>v1 cpu.stat: throttling only, in nanoseconds.</summary>
    public static bool TryParseCpuStatV1(ReadOnlySpan<byte> text, ref CgroupReading reading)
    {
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (!KeyValueParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> key, out ulong value))
            {
                isWellFormed = false;
            }
            else if (key.SequenceEqual("throttled_time"u8))
            {
                reading.CpuThrottledNs = value;
            }
            else
            {
                SetThrottling(key, value, ref reading);
            }
        }

        return isWellFormed && !text.IsEmpty;
    }

    /// <summary>v1 cpuacct.stat, in USER_HZ ticks.</summary>
    public static bool TryParseCpuacctStat(ReadOnlySpan<byte> text, ref CgroupReading reading)
    {
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (!KeyValueParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> key, out ulong value))
            {
                isWellFormed = false;
            }
            else if (key.SequenceEqual("user"u8))
            {
                reading.CpuUserNs = Multiply(value, NsPerUserHz);
            }
            else if (key.SequenceEqual("system"u8))
            {
                reading.CpuSystemNs = Multiply(value, NsPerUserHz);
            }
        }

        return isWellFormed && !text.IsEmpty;
    }

    /// <summary>The value of one key of a "key value" file, such as inactive_file of memory.stat.</summary>
    public static bool TryFindKey(ReadOnlySpan<byte> text, ReadOnlySpan<byte> wanted, out ulong found)
    {
        found = 0;
        WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            if (cursor.Rest.StartsWith(wanted) && cursor.Rest.Length > wanted.Length && cursor.Rest[wanted.Length] == (byte)' ')
            {
                return KeyValueParser.TryReadLine(ref cursor, out _, out found);
            }

            cursor.SkipLine();
        }

        return false;
    }

    /// <summary>A memory limit; null where there is none. False: neither a number nor "max".</summary>
    public static bool TryParseLimit(ReadOnlySpan<byte> text, out ulong? limit)
    {
        limit = null;
        if (text.SequenceEqual("max\n"u8))
        {
            return true;
        }

        if (!NumberParser.TryParse(text, out ulong value))
        {
            return false;
        }

        limit = value >= UnlimitedFrom ? null : value;
        return true;
    }

    /// <summary>
    /// v2 io.stat: "259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" a device; summed. Empty: no I/O yet, all zero.
    /// </summary>
    public static bool TryParseIoStat(ReadOnlySpan<byte> text, ref CgroupReading reading)
    {
        reading.ReadBytes = reading.WrittenBytes = reading.Reads = reading.Writes = 0;
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            isWellFormed &= TryAddDevice(line, ref reading);
        }

        return isWellFormed;
    }

    /// <summary>
    /// v1 blkio.throttle.io_service_bytes(_recursive) or io_serviced(_recursive): "8:0 Read 4096" lines and "Total 4096"; summed.
    /// </summary>
    public static bool TryParseBlkio(ReadOnlySpan<byte> text, out ulong read, out ulong written)
    {
        read = written = 0;
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (line.StartsWith("Total "u8))
            {
                continue;
            }

            Utf8Cursor fields = new(line);
            if (!fields.TryReadField(out _) || !fields.TryReadField(out ReadOnlySpan<byte> operation) ||
                !fields.TryReadUInt64(out ulong value) || !fields.IsAtEnd)
            {
                isWellFormed = false;
            }
            else if (operation.SequenceEqual("Read"u8))
            {
                read += value;
            }
            else if (operation.SequenceEqual("Write"u8))
            {
                written += value;
            }
        }

        return isWellFormed;
    }

    private static bool TryAddDevice(ReadOnlySpan<byte> line, ref CgroupReading reading)
    {
        Utf8Cursor fields = new(line);
        if (!fields.TryReadField(out ReadOnlySpan<byte> device) || !device.Contains((byte)':'))
        {
            return false;
        }

        while (fields.TryReadField(out ReadOnlySpan<byte> field))
        {
            int equals = field.IndexOf((byte)'=');
            Utf8Cursor number = new(equals < 0 ? default : field[(equals + 1)..]);
            if (!number.TryReadUInt64(out ulong value))
            {
                continue; // iocost adds fields with fractions and words
            }

            ReadOnlySpan<byte> key = field[..equals];
            if (key.SequenceEqual("rbytes"u8))
            {
                reading.ReadBytes += value;
            }
            else if (key.SequenceEqual("wbytes"u8))
            {
                reading.WrittenBytes += value;
            }
            else if (key.SequenceEqual("rios"u8))
            {
                reading.Reads += value;
            }
            else if (key.SequenceEqual("wios"u8))
            {
                reading.Writes += value;
            }
        }

        return true;
    }

    private static void SetThrottling(ReadOnlySpan<byte> key, ulong value, ref CgroupReading reading)
    {
        if (key.SequenceEqual("nr_periods"u8))
        {
            reading.CpuPeriods = value;
        }
        else if (key.SequenceEqual("nr_throttled"u8))
        {
            reading.CpuThrottledPeriods = value;
        }
    }

    private static ulong? Multiply(ulong value, ulong factor) => value > ulong.MaxValue / factor ? null : value * factor;
}
