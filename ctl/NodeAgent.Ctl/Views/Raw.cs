using System.Globalization;

namespace NodeAgent.Ctl.Views;

/// <summary>Values as programs read them.</summary>
internal static class Raw
{
    /// <summary>Shortest text that reads back to the same double; empty for none.</summary>
    public static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    public static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Whole(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Empty for 0, the contract's "none".</summary>
    public static string Moment(long? unixMs) => unixMs is null or 0 ? "" : Whole(unixMs.Value);

    /// <summary>JSON has neither NaN nor infinities: both are null there.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
