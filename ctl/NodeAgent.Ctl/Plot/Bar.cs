namespace NodeAgent.Ctl.Plot;

/// <summary>A horizontal bar in eighths of a character.</summary>
internal static class Bar
{
    private const string Eighths = "▏▎▍▌▋▊▉█";

    /// <param name="share">0 to 1; outside is clamped, NaN is empty.</param>
    public static string Render(double share, int width)
    {
        if (double.IsNaN(share) || width <= 0) return new string(' ', Math.Max(0, width));
        int eighths = (int)Math.Round(Math.Clamp(share, 0, 1) * width * 8);
        string full = new('█', eighths / 8);
        string part = eighths % 8 == 0 ? "" : Eighths[(eighths % 8) - 1].ToString();
        return (full + part).PadRight(width);
    }
}
