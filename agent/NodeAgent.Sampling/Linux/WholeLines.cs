namespace NodeAgent.Sampling.Linux;

/// <summary>
/// The kernel ends every line. Text whose last line has no end was cut (a buffer too small, a capture torn), perhaps within a
/// number, so that line is worth nothing.
/// </summary>
internal static class WholeLines
{
    /// <summary>Drops a last line without an end. False: there was one.</summary>
    public static bool TryKeep(ref ReadOnlySpan<byte> text)
    {
        int end = text.LastIndexOf((byte)'\n') + 1;
        bool isWhole = end == text.Length;
        text = text[..end];
        return isWhole;
    }
}
