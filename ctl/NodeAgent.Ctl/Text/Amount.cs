using System.Globalization;

namespace NodeAgent.Ctl.Text;

/// <summary>Amounts of memory and of processors as people write them.</summary>
internal static class Amount
{
    // The larger first: "MiB" ends in "B" as well.
    private static readonly (string Suffix, double MiB)[] Units =
    [
        ("TiB", 1 << 20), ("GiB", 1 << 10), ("MiB", 1), ("Ti", 1 << 20), ("Gi", 1 << 10), ("Mi", 1), ("T", 1 << 20), ("G", 1 << 10), ("M", 1), ("", 1),
    ];

    /// <summary>"64GiB", "64Gi", "64G" (all binary), "65536" (MiB).</summary>
    public static bool TryMiB(string text, out uint mib)
    {
        (string suffix, double unit) = Units.First(known => text.EndsWith(known.Suffix, StringComparison.Ordinal));
        return TryScaled(text[..^suffix.Length], unit, out mib);
    }

    /// <summary>"4", "0.5" cores or "500m" thousandths.</summary>
    public static bool TryMilli(string text, out uint milli) =>
        text.EndsWith('m') ? TryScaled(text[..^1], 1, out milli) : TryScaled(text, 1000, out milli);

    private static bool TryScaled(string number, double unit, out uint amount)
    {
        bool isFine = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value * unit <= int.MaxValue;
        amount = isFine ? (uint)Math.Ceiling(value * unit) : 0;
        return isFine;
    }
}
