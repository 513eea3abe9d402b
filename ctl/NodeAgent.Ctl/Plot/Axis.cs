namespace NodeAgent.Ctl.Plot;

/// <summary>A vertical axis with round marks: 1, 2 or 5 times a power of ten (of 1024 for bytes).</summary>
/// <param name="Low">Value at the bottom.</param>
/// <param name="High">Value at the top, larger than <paramref name="Low"/>.</param>
/// <param name="Step">Distance of two marks.</param>
internal readonly record struct Axis(double Low, double High, double Step)
{
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Largest value.</param>
    /// <param name="marks">About this many marks, at least 2.</param>
    /// <param name="binary">Steps are round in powers of 1024.</param>
    public static Axis Around(double low, double high, int marks, bool binary)
    {
        // Zero belongs into the picture unless it would squeeze the values into the upper part.
        if (low > 0 && low < (high - low) * 1.5) low = 0;
        if (!(high > low))
        {
            double around = Math.Abs(low) > 0 ? Math.Abs(low) * 0.1 : 1;
            (low, high) = (low == 0 ? 0 : low - around, high + around);
        }

        double step = Round((high - low) / Math.Max(1, marks - 1), binary);
        return new Axis(Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step);
    }

    /// <summary>The marks from the bottom to the top.</summary>
    public IEnumerable<double> Marks()
    {
        int count = (int)Math.Round((High - Low) / Step);
        // Multiplied, not added up: 0.1 ten times is not 1.
        for (int i = 0; i <= count; i++) yield return Low + (i * Step);
    }

    /// <summary>Dot row of a value, 0 at the top.</summary>
    public int Row(double value, int dots) => (int)Math.Round((High - value) / (High - Low) * (dots - 1));

    private static double Round(double raw, bool binary)
    {
        double unit = 1;
        if (binary)
        {
            while (raw >= unit * 1024) unit *= 1024;
        }

        double power = unit * Math.Pow(10, Math.Floor(Math.Log10(raw / unit)));
        double factor = raw / power;
        double step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
        // 1000 MiB is no round number; 1 GiB is.
        return binary && step == unit * 1000 ? unit * 1024 : step;
    }
}
