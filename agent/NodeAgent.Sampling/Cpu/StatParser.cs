using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Cpu;

/// <summary>Parses /proc/stat (proc(5)). Total: whatever the text, it fills what it understood.</summary>
internal static class StatParser
{
    /// <summary>True: every line it knows had the known form, and there was a line of all processors.</summary>
    /// <param name="text">Content of /proc/stat.</param>
    /// <param name="perCore">Also parse the line of each processor; otherwise they are only counted.</param>
    /// <param name="reading">Cleared, then filled.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, bool perCore, StatReading reading)
    {
        reading.Clear();
        bool isWellFormed = WholeLines.TryKeep(ref text);
        Utf8Cursor cursor = new(text);
        while (!cursor.IsAtEnd)
        {
            isWellFormed &= TryParseLine(ref cursor, perCore, reading);
            cursor.SkipLine(); // the interrupts line alone can have 10 KiB nobody needs
        }

        return isWellFormed && reading.HasAllTimes;
    }

    private static bool TryParseLine(ref Utf8Cursor cursor, bool perCore, StatReading reading)
    {
        ReadOnlySpan<byte> rest = cursor.Rest;
        switch (rest[0])
        {
            case (byte)'c' when rest.StartsWith("cpu "u8):
                cursor.TrySkip("cpu "u8);
                return reading.HasAllTimes = TryReadTimes(ref cursor, reading.AllTimes);
            case (byte)'c' when cursor.TrySkip("cpu"u8):
                return TryParseProcessor(ref cursor, perCore, reading);
            case (byte)'c' when cursor.TrySkip("ctxt "u8):
                reading.ContextSwitches = ReadNumber(ref cursor);
                return reading.ContextSwitches is not null;
            case (byte)'i' when cursor.TrySkip("intr "u8):
                reading.Interrupts = ReadNumber(ref cursor);
                return reading.Interrupts is not null;
            case (byte)'b' when cursor.TrySkip("btime "u8):
                reading.BootTimeSeconds = ReadNumber(ref cursor);
                return reading.BootTimeSeconds is not null;
            case (byte)'p' when cursor.TrySkip("processes "u8):
                reading.Forks = ReadNumber(ref cursor);
                return reading.Forks is not null;
            case (byte)'p' when cursor.TrySkip("procs_running "u8):
                reading.Running = ReadNumber(ref cursor);
                return reading.Running is not null;
            case (byte)'p' when cursor.TrySkip("procs_blocked "u8):
                reading.Blocked = ReadNumber(ref cursor);
                return reading.Blocked is not null;
            case (byte)'s' when cursor.TrySkip("softirq "u8):
                reading.SoftirqsRead = ReadMany(ref cursor, reading.Softirqs);
                return reading.SoftirqsRead > 0;
            default:
                return true; // a line of a kernel to come
        }
    }

    private static bool TryParseProcessor(ref Utf8Cursor cursor, bool perCore, StatReading reading)
    {
        if (!reading.TryGrow())
        {
            return false;
        }

        int at = reading.Processors;
        if (perCore)
        {
            if (!cursor.TryReadUInt64(out ulong id) || id >= StatReading.MaxProcessors ||
                !TryReadTimes(ref cursor, reading.Times.AsSpan(at * StatReading.ModeCount, StatReading.ModeCount)))
            {
                return false;
            }

            reading.Ids[at] = (int)id;
        }

        reading.Processors++;
        return true;
    }

    // Kernels before 2.6.33 lack the last columns; a missing one reads as zero, as the kernel then knew no such time. Fewer than
    // the four of 2.4 is a torn line.
    private static bool TryReadTimes(ref Utf8Cursor cursor, Span<ulong> times)
    {
        int read = ReadMany(ref cursor, times);
        times[read..].Clear();
        return read >= 4;
    }

    private static int ReadMany(ref Utf8Cursor cursor, Span<ulong> values)
    {
        int count = 0;
        while (count < values.Length && cursor.TryReadUInt64(out ulong value))
        {
            values[count++] = value;
        }

        return count;
    }

    private static ulong? ReadNumber(ref Utf8Cursor cursor) => cursor.TryReadUInt64(out ulong value) ? value : null;
}
