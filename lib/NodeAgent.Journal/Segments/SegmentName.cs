using System.Globalization;

namespace NodeAgent.Journal.Segments;

/// <summary>
/// <c>0000000000000007.segment</c>: the number in 16 hexadecimal digits, so that names sort like numbers. A hint for people and the
/// guard against two files of one number; what a file is, its header says.
/// </summary>
internal static class SegmentName
{
    public const string Extension = ".segment";

    public static string Of(ulong number) => number.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    public static bool IsSegment(string name) => name.EndsWith(Extension, StringComparison.Ordinal);

    public static bool TryParse(string name, out ulong number)
    {
        number = 0;
        return IsSegment(name) && name.Length == 16 + Extension.Length
            && ulong.TryParse(name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }
}
