namespace NodeAgent.Sampling.Linux;

/// <summary>Lines of a key, one blank and an unsigned number: /proc/vmstat, numastat, and the stat files of cgroups.</summary>
internal static class KeyValueParser
{
    /// <summary>
    /// Takes one line of whole ones (<see cref="WholeLines"/>). False: not of this form; the cursor is behind the line either way.
    /// </summary>
    public static bool TryReadLine(ref Utf8Cursor cursor, out ReadOnlySpan<byte> key, out ulong value)
    {
        value = 0;
        key = default;
        if (!cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            return false;
        }

        int blank = line.IndexOf((byte)' ');
        if (blank <= 0)
        {
            return false;
        }

        key = line[..blank];
        Utf8Cursor number = new(line[(blank + 1)..]);
        return number.TryReadUInt64(out value) && number.IsAtEnd;
    }
}
