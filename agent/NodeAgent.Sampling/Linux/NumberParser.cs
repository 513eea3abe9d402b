namespace NodeAgent.Sampling.Linux;

/// <summary>A file that holds one unsigned number and a newline, as most of sysfs does.</summary>
internal static class NumberParser
{
    /// <summary>False: something else, or a number without its newline, which may have been cut.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong value)
    {
        Utf8Cursor cursor = new(text);
        return cursor.TryReadUInt64(out value) && cursor.TrySkip("\n"u8) && cursor.IsAtEnd;
    }
}
